"""Proves that a digit map is unambiguous: visits every state that keys can lead to.

Does not read the text of a map. The first state with a mistake is raised as digit_map_text.Mistake:
an empty number, a number of two classes, one that can never be reached, a star that is not before a digit.
"""

from phoneterm.core.digit_map_text import Mistake
from phoneterm.core.messages import SYMBOLS

_MAX_STATES = 128  # at most 11 KB on a 32-bit chip while a map is compiled


def prove(digit_map):
    """Visit every state that keys can lead to; raise Mistake at the first one in which the map is ambiguous."""
    start = digit_map.start()
    waiting = [(start, "")]
    seen = {start * 2}
    while waiting:
        state, keyed = waiting.pop()
        _check_state(digit_map, state, keyed)
        for symbol in SYMBOLS:
            following = digit_map.step(state, symbol)
            mark = following * 2 + (symbol == "*")
            if not following or mark in seen:
                continue
            if len(seen) == _MAX_STATES:
                raise Mistake(digit_map.groups[-1].at, "the map is too intricate; let fewer alternatives overlap")
            seen.add(mark)
            waiting.append((following, keyed + symbol))


def _check_state(digit_map, state, keyed):
    ending = [group for group in digit_map.groups if state & group.end]
    for group in ending:
        if not keyed:
            raise Mistake(group.at, "this accepts an empty number; write xx. for one digit or more")
        if keyed[-1] == "*":
            raise Mistake(group.at, "a number cannot end with *")
        if group.name != ending[0].name:
            raise Mistake(group.at, "%s is both %s and %s" % (keyed, ending[0].name, group.name))
    if keyed[-1:] == "*":
        for group in _alive(digit_map, digit_map.step(state, "*")):
            raise Mistake(group.at, "a * must stand before a digit")
    alive = _alive(digit_map, state)
    unfinished = [group for group in alive if state & group.every & ~digit_map.plain_ends]
    if len(unfinished) < len(alive):  # the number of one of them is complete at once, so no key comes after it
        for group in unfinished:
            raise Mistake(group.at, "this can never be reached, because %s is already complete" % keyed)


def _alive(digit_map, state):
    return [group for group in digit_map.groups if state & group.every]
