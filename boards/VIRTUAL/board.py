"""The virtual phone: a board like any other, whose keypad, lamp, buzzer, hook and display are played by a computer.

Does not do anything at import, and does not know the firmware; pin numbers are those of the wiring in wiring.md, the
same as on an ESP32 development board. `tools/virtual_phone/README.md` says how to press its keys.
"""

NAME = "VIRTUAL"

ROWS = (13, 14, 27, 26)  # open-drain, low = selected
COLUMNS = (25, 33, 32, 23)  # inputs with pull-up
LEGENDS = "123A456B789C*0#D"
ROLES = ("A", "B", "C", "D")  # commit, erase, cancel, swap
SETTLE_US = 0  # simulated wires settle at once

LAMP = 2
LAMP_ACTIVE = 1
BUZZER = 22
HOOK = 21  # the receiver's switch, with pull-up
HOOK_OFF_LEVEL = 1


def make_display():
    """Return the 2x16 display."""
    from virtual_display import VirtualDisplay

    return VirtualDisplay()


def on_signal(name):
    """Tell the computer which signal the lamp and the buzzer are giving."""
    from host_link import link

    link.send("S%s\n" % name)
