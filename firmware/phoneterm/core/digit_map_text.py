"""Reads the text of a digit map into alternatives and their places.

Does not match numbers or judge whether the alternatives agree; `digit_map.py` does. A place is (symbols, is_repeated):
symbols has one bit for each of SYMBOLS that it accepts. A bad map raises Mistake(position, sentence), which
`digit_map_compiler.compile_map` turns into a value; positions count from 1.
"""

from phoneterm.core.messages import MAX_NUMBER_CHARS, SYMBOLS, is_tid

MAX_MAP_CHARS = 240
_DIGITS = "0123456789"
_ANY_DIGIT = 0x3FF
_HASH = 1 << SYMBOLS.index("#")
_MAX_CLASS_CHARS = 16


class Mistake(Exception):
    """The map is wrong: (position, sentence)."""


def parse_map(text, taken):
    """Yield the alternatives of a map, one by one because memory is short; `taken` must not occur in a number.

    Each is (class, places, ending, position of its first character); ending: "T", "#" (which is also a place) or "".
    """
    if not text:
        raise Mistake(1, "the map is empty")
    if len(text) > MAX_MAP_CHARS:
        raise Mistake(MAX_MAP_CHARS + 1, "a map has at most %d characters" % MAX_MAP_CHARS)
    at = 1
    for part in text.split("|"):
        before = len(part) - len(part.lstrip(" "))
        yield _parse_alternative(part.strip(" "), at + before, taken)
        at += len(part) + 1


def _parse_alternative(part, at, taken):
    name, colon, pattern = part.partition(":")
    if not colon:
        raise Mistake(at, "this alternative has no class; write for example internal:1xx")
    if not is_tid(name) or len(name) > _MAX_CLASS_CHARS:  # classes and terminals are named with the same characters
        raise Mistake(at, "a class is 1 to %d of a-z, 0-9 and -" % _MAX_CLASS_CHARS)
    pattern_at = at + len(name) + 1
    ending = pattern[-1:].upper()
    if ending not in ("T", "#"):
        ending = ""
    places = _parse_places(pattern[:-1] if ending else pattern, pattern_at, taken)
    if not places:
        raise Mistake(pattern_at, "class %s has no digits" % name)
    if sum(not is_repeated for _, is_repeated in places) > MAX_NUMBER_CHARS:
        raise Mistake(pattern_at, "a number has at most %d digits" % MAX_NUMBER_CHARS)
    if ending == "#":
        places.append((_free_symbols(_HASH, at + len(part) - 1, taken), False))
    return name, places, ending, at


def _parse_places(pattern, at, taken):
    places = []
    index = 0
    while index < len(pattern):
        character = pattern[index]
        if character == ".":
            if not places or places[-1][1] or places[-1][0] > _ANY_DIGIT:
                raise Mistake(at + index, "there is no digit before the . that it could repeat")
            places[-1] = (places[-1][0], True)
            index += 1
            continue
        symbols, used = _parse_place(pattern, index, at)
        places.append((_free_symbols(symbols, at + index, taken), False))
        index += used
    return places


def _free_symbols(symbols, at, taken):
    for legend in taken:
        if legend in SYMBOLS and symbols >> SYMBOLS.index(legend) & 1:
            raise Mistake(at, "key %s has another use and cannot be part of a number" % legend)
    return symbols


def _parse_place(pattern, index, at):
    """Return (symbols, how many characters they took)."""
    character = pattern[index]
    if character in "Tt#":
        raise Mistake(at + index, "%s can only be the last character of an alternative" % character)
    if character in SYMBOLS:
        return 1 << SYMBOLS.index(character), 1
    if character in "xX":
        return _ANY_DIGIT, 1
    if character == "[":
        return _parse_range(pattern, index, at)
    raise Mistake(at + index, "%r is not a digit, x, [, *, ., T or #" % character)


def _parse_range(pattern, index, at):
    close = pattern.find("]", index)
    if close < 0:
        raise Mistake(at + index, "this [ has no ]")
    symbols = 0
    place = index + 1
    while place < close:
        low = high = _digit(pattern, place, at)
        if pattern[place + 1] == "-":
            high = _digit(pattern, place + 2, at)
            if high < low:
                raise Mistake(at + place, "this range runs backwards")
            place += 2
        symbols |= (2 << high) - (1 << low)
        place += 1
    if not symbols:
        raise Mistake(at + index, "there is no digit between [ and ]")
    return symbols, close + 1 - index


def _digit(pattern, place, at):
    if pattern[place] not in _DIGITS:
        raise Mistake(at + place, "only digits and - may stand between [ and ]")
    return _DIGITS.index(pattern[place])
