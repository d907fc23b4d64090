"""The parts around a board, for pictures and parts lists: their values and trade names.

Does not know which board has which part; board.py does. Resistors are in ohms.
"""

from dataclasses import dataclass

LAMP_OHM = 330  # 4 mA through a red LED at 3.3 V: bright enough, and far below what a pin can give
BUZZER_OHM = 100  # a piezo disc is a capacitor: this is all the current that a pin gets to charge it with


@dataclass(frozen=True)
class DisplayPart:
    """A display: its name, its supply voltage, and a note for soldering (or "")."""

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
    """Return the display part of a driver in `boards/displays`; with the driver's name if it is not described here."""
    return _DISPLAYS.get(driver, DisplayPart(driver, "3V3"))
