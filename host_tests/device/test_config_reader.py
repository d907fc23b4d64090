"""The code that reads a config takes memory only while it reads one: device.config_reader."""

import sys

import pytest
from phoneterm.core.keymap import STANDARD_ROLES
from phoneterm.device.config_reader import read_config

_CORE = "phoneterm.core"


class DigitMapText:
    """Stands in for core.digit_map_text, as if it had just been loaded."""

    Mistake = ValueError

    def __init__(self, error=None):
        self._error = error
        self.saw_config = None
        core = sys.modules[_CORE]
        core.digit_map_text = sys.modules[_CORE + ".digit_map_text"] = self

    def parse_map(self, text, taken):
        """Return a map with the only number 1, or fail."""
        self.saw_config = _CORE + ".config" in sys.modules
        if self._error:
            raise self._error
        return iter((("internal", [(2, False)], "", 1),))


def is_loaded():
    """Say whether any of the code is in memory."""
    names = ("config", "digit_map_compiler", "digit_map_proof", "digit_map_text")
    return any(_CORE + "." + name in sys.modules or hasattr(sys.modules[_CORE], name) for name in names)


def test_it_reads_what_the_core_reads():
    config = read_config({"rev": 3, "digit_map": "internal:2x", "country": "de"}, STANDARD_ROLES)
    assert (config.revision, config.country, config.digit_map.class_of("22")) == (3, "de", "internal")
    assert read_config({"rev": 3, "digit_map": "internal:[2"}, STANDARD_ROLES).detail == (
        "digit map, position 10: this [ has no ]"
    )


def test_the_code_does_not_stay_in_memory():
    read_config({"rev": 3, "digit_map": "internal:2x"}, STANDARD_ROLES)
    assert not is_loaded()


def test_the_code_does_not_stay_in_memory_that_was_too_short_for_it():
    DigitMapText(MemoryError())
    with pytest.raises(MemoryError):
        read_config({"rev": 3, "digit_map": "internal:2x"}, STANDARD_ROLES)
    assert not is_loaded()


def test_the_two_pieces_of_code_are_never_loaded_together():
    read_config({}, STANDARD_ROLES)
    text = DigitMapText()
    config = read_config({"rev": 3, "digit_map": "internal:0"}, STANDARD_ROLES)
    assert config.digit_map.class_of("1") == "internal"
    assert text.saw_config is False
