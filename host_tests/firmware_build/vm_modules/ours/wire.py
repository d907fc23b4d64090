"""A module that others use, with everything that slimming must handle; it does nothing else."""

from micropython import const

VERSION = 3
HELLO = "up/hello"
LONG = "a text of more than ten"
FOR_TESTS = 9
_LIMIT = const(40)


def encode(text, limit=_LIMIT):
    """Return it."""
    return _cut(text, limit=limit) + str(VERSION)


def _cut(text, limit):
    return text[:limit]


def used_by_nobody():
    return 1


class Link:
    """Something with private parts."""

    def __init__(self, name):
        self._name = name
        self.is_up_now = False
        self.state = "talking"

    def greet(self):
        return HELLO + self._decorate(self._name)

    def _decorate(self, name):
        return "<" + name + ">"

    _READERS = {"x": _decorate}

    def read_now(self):
        return self._READERS["x"](self, "y")


class Box:
    """Something that a link is put into."""

    def __init__(self, link):
        self.content_of_box = link

    def ask_content(self):
        return self.content_of_box.read_now(), self.content_of_box.is_up_now
