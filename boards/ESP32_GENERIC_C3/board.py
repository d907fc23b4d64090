"""An ESP32-C3 development board, such as the ESP32-C3-DevKitM-1: keypad, lamp and buzzer take all of its pins.

The lamp lights when its pin is low, because GPIO8 must be high at reset. Many small ESP32-C3 boards have a lamp of
their own there, wired this way. An ESP32-C3-DevKitM-1 has a coloured one there that wants data and may flicker.

GPIO2, the third column, should be high at reset; a column's pull-up does not hold it before the firmware runs, so
10 kOhm from GPIO2 to 3V3 is a good idea.
"""

NAME = "ESP32_GENERIC_C3"

ROWS = (4, 5, 6, 7)  # open-drain, low = selected
COLUMNS = (0, 1, 2, 3)  # inputs with pull-up
LEGENDS = "123A456B789C*0#D"
ROLES = ("A", "B", "C", "D")  # commit, erase, cancel, swap
SETTLE_US = 5  # what a column gets to follow its row: the pull-up is 45 kOhm, a ribbon cable some 50 pF

LAMP = 8
LAMP_ACTIVE = 0  # the level that lights it
BUZZER = 10
HOOK = None
HOOK_OFF_LEVEL = 1


def make_display():
    """There is no display."""
