"""A module that uses `wire` in every way that slimming must handle; it does nothing else."""

from collections import namedtuple

from ours import wire
from ours.wire import VERSION, Box, Link

Pair = namedtuple("Pair", "left right")


def run(link):
    made = Link("n")
    wire_text = wire.encode("abc", limit=2)
    return Pair(made.greet() + wire_text, VERSION + wire.VERSION), made.read_now(), Box(made).ask_content(), link.state


def hide(box):
    wire = box
    return wire.encode


def late():
    from ours.wire import encode

    return encode("late")


def hand_over(show):
    return show(wire)
