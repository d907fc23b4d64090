"""The settings a terminal gets from the bridge: digit map, timers, country of the tones, operations, key roles.

Does not check signatures or types (messages.decode has), only what a single field cannot show: whether the map can
be read, the country is known and the roles go together. The bridge has already proved that the map is unambiguous.
Times are milliseconds. A bad config gives Rejected("config", one sentence), and the settings in force stay. The
terminal loads this module only to read a config.
"""

from collections import namedtuple

from phoneterm.core import keymap, messages, operations, signals

CODE_MS = 2500
DIGIT_MS = 3000
TOTAL_MS = 20000

_ROLE_NAMES = ("commit", "erase", "cancel", "swap")
_TIMES = (("code_ms", CODE_MS), ("digit_ms", DIGIT_MS), ("total_ms", TOTAL_MS))

Config = namedtuple("Config", "revision digit_map code_ms digit_ms total_ms country ops roles")


def read_config(document, board_roles, digit_map=None):
    """Return the Config of a decoded document ({}: the bridge has sent none), or Rejected.

    Missing fields get their defaults; `board_roles` are those of the board. `digit_map` is the result of
    `compile_document`, for a caller that has no room for both pieces of code at once.
    """
    roles = keymap.roles_of(document, board_roles)
    if len(set(roles)) != len(roles):
        return messages.Rejected("config", "two roles cannot have the same key")
    for name, legend in zip(_ROLE_NAMES, roles):
        if legend in "0123456789":
            return messages.Rejected("config", "key %s cannot be the %s key, because numbers need it" % (legend, name))
    country = document.get("country") or signals.DEFAULT_COUNTRY
    if not signals.is_country(country):
        return messages.Rejected("config", "there are no tones for country " + country)
    ops = document.get("ops")
    known = operations.names()
    ops = known if ops is None else tuple(ops)
    for op in ops:
        if op not in known:
            return messages.Rejected("config", "there is no operation " + op)
    if digit_map is None:
        from phoneterm.core import digit_map_compiler  # only now: a terminal has no room for both at once

        digit_map = digit_map_compiler.compile_document(document, roles)
    if isinstance(digit_map, messages.Rejected):
        return messages.Rejected("config", "digit map, " + digit_map.detail)
    times = [document.get(name) or ms for name, ms in _TIMES]
    return Config(document.get("rev", -1), digit_map, times[0], times[1], times[2], country, ops, roles)
