"""Which legend is printed on which key of the 4x4 matrix, and which legends have a role of their own.

Does not scan or interpret keys.
A key's index is row * 4 + column, 0 to 15. Legends and roles come from the board: a bad one is our own mistake and
raises ValueError.
"""

from collections import namedtuple

KEYS = 16
STANDARD_LEGENDS = "123A456B789C*0#D"
_PRINTABLE = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*#"

# commit: complete the number or the consultation. erase: one digit. cancel: the sequence. swap: caller and colleague.
Roles = namedtuple("Roles", "commit erase cancel swap")
STANDARD_ROLES = Roles("A", "B", "C", "D")


def roles_of(document, own):
    """Return the Roles of a config document; roles that it leaves out are the board's `own`."""
    return Roles(*[document.get(name) or legend for name, legend in zip(("commit", "erase", "cancel", "swap"), own)])


class Keymap:
    """The legends of one keypad, row by row."""

    def __init__(self, legends=STANDARD_LEGENDS):
        """Take 16 different legends of one character each."""
        if len(legends) != KEYS or len(set(legends) & set(_PRINTABLE)) != KEYS:
            raise ValueError("a keymap is 16 different digits, capital letters, * or #, not " + repr(legends))
        self._legends = legends

    def legend(self, index):
        """Return the legend of key `index`."""
        if not 0 <= index < KEYS:
            raise ValueError("a key index is 0 to 15, not " + str(index))
        return self._legends[index]
