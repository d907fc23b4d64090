"""Shows text that comes from outside (a store, a PBX, a terminal, the environment) to people. Does not judge it.

Every list, log line and export goes through `show`, so that no such text can forge a line or steer a terminal window.
"""


def show(text: object) -> str:
    """Return text on one line, with every character that is not printable escaped."""
    shown = str(text)
    if shown.isprintable():
        return shown
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in shown)


def show_lines(text: object) -> str:
    """Return text whose line ends are our own, with all else that is not printable escaped."""
    return "\n".join(show(line) for line in str(text).split("\n"))
