"""The parts around a board that a picture and a parts list name: their values, and what they are sold as.

Does not know which board has which; board.py does. Resistors are in ohms.
"""

from dataclasses import dataclass

LAMP_OHM = 330  # 4 mA through a red LED at 3.3 V: bright enough, and far below what a pin can give
BUZZER_OHM = 100  # a piezo disc is a capacitor: this is all the current that a pin gets to charge it with


@dataclass(frozen=True)
class DisplayPart:
    """A display: what it is called, what it is fed with, and what one must know to solder it (or "")."""

    title: str
    supply: str
    warning: str = ""


_DISPLAYS = {
    "oled": DisplayPart("OLED 128x64, SSD1306, I2C", "3V3"),
    "lcd": DisplayPart(
        "LCD 16x2, PCF8574, I2C",
        "5V",
        "It pulls SCL and SDA up to 5 V, which the chip does not bear: put a level shifter between.",
    ),
}


def find_display(driver: str) -> DisplayPart:
    """Return what the display of a driver in `boards/displays` is; its name, for one that nobody has described."""
    return _DISPLAYS.get(driver, DisplayPart(driver, "3V3"))
