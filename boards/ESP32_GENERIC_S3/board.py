"""An ESP32-S3 development board, such as the ESP32-S3-DevKitC-1, and a 128x64 display.

The eight wires of the keypad lie side by side on an ESP32-S3-DevKitC-1, from GPIO4 to GPIO18, and the rest follows:
8 and 9 for the display, 10 to 12 for lamp, buzzer and hook. GPIO3 and GPIO46 between them stay free, because they are
strapping pins.

Flash it by the socket marked USB, or by the one marked UART; both are consoles.
"""

NAME = "ESP32_GENERIC_S3"

ROWS = (4, 5, 6, 7)  # open-drain, low = selected
COLUMNS = (15, 16, 17, 18)  # inputs with pull-up
LEGENDS = "123A456B789C*0#D"
ROLES = ("A", "B", "C", "D")  # commit, erase, cancel, swap
SETTLE_US = 5  # what a column gets to follow its row: the pull-up is 45 kOhm, a ribbon cable some 50 pF

LAMP = 10
LAMP_ACTIVE = 1  # the level that lights it
BUZZER = 11
HOOK = 12  # the receiver's switch, to ground, with pull-up
HOOK_OFF_LEVEL = 1  # the level while the receiver is off the hook
DISPLAY_SCL = 9
DISPLAY_SDA = 8


def make_display():
    """Return the display; one that is not plugged in shows nothing and harms nothing."""
    from machine import I2C, Pin
    from oled import Oled

    return Oled(I2C(0, scl=Pin(DISPLAY_SCL), sda=Pin(DISPLAY_SDA)))
