"""The virtual phone: a board like any other, whose keypad, lamp, buzzer, hook and display are played by a computer.

There is nothing to solder: `tools/labs/virtual_phone` simulates the parts, and its README says how to press the keys.
The numbers are pins that are also free on an ESP32 development board, so the same keypad could be wired there. The
display needs no wires: its two lines go to the computer.
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
    from virtual_display import make

    return make()


def on_signal(name):
    """Tell the computer which signal the lamp and the buzzer are giving."""
    from host_link import link

    link.send("S%s\n" % name)
