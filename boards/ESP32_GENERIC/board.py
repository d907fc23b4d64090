"""An ESP32 development board with a WROOM module, such as the ESP32-DevKitC V4, and a 128x64 display.

The eight wires of the keypad lie in a row on one side of an ESP32-DevKitC, but for the last: 13, 14, 27, 26, 25, 33,
32, and 23 on the other side. GPIO12 between them decides the flash's voltage at reset and stays free.

GPIO16 and GPIO17 are free on a WROOM module and taken on a WROVER; nothing here uses them.
"""

NAME = "ESP32_GENERIC"

ROWS = (13, 14, 27, 26)  # open-drain, low = selected
COLUMNS = (25, 33, 32, 23)  # inputs with pull-up
LEGENDS = "123A456B789C*0#D"
ROLES = ("A", "B", "C", "D")  # commit, erase, cancel, swap
SETTLE_US = 5  # what a column gets to follow its row: the pull-up is 45 kOhm, a ribbon cable some 50 pF

LAMP = 19
LAMP_ACTIVE = 1  # the level that lights it
BUZZER = 18
HOOK = 4  # the receiver's switch, to ground, with pull-up
HOOK_OFF_LEVEL = 1  # the level while the receiver is off the hook
DISPLAY_SCL = 22
DISPLAY_SDA = 21


def make_display():
    """Return the display; one that is not plugged in shows nothing and harms nothing."""
    from machine import I2C, Pin
    from oled import Oled

    return Oled(I2C(0, scl=Pin(DISPLAY_SCL), sda=Pin(DISPLAY_SDA)))
