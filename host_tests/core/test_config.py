"""The settings from the bridge: core.config. Runs on CPython and on MicroPython."""

from phoneterm.core import config as configs
from phoneterm.core import operations
from phoneterm.core.config import read_config
from phoneterm.core.digit_map import compile_document
from phoneterm.core.keymap import STANDARD_ROLES, Roles
from phoneterm.core.messages import Rejected


def read(**fields):
    return read_config(dict({"rev": 3, "digit_map": "internal:1xx"}, **fields), STANDARD_ROLES)


def complaint(**fields):
    rejected = read(**fields)
    assert isinstance(rejected, Rejected), fields
    assert rejected.reason == "config"
    return rejected.detail


def test_before_the_bridge_has_sent_any_the_defaults_hold():
    config = read_config({}, STANDARD_ROLES)
    assert config.revision == -1
    assert config.digit_map.class_of("102") == "internal"
    assert (config.code_ms, config.digit_ms, config.total_ms) == (2500, 3000, 20000)
    assert config.country == "us"
    assert config.ops == operations.names()
    assert config.roles == STANDARD_ROLES


def test_what_the_document_says_replaces_the_defaults():
    config = read(
        code_ms=1000, digit_ms=1500, total_ms=9000, country="de", ops=["blind"], commit="#", swap="B", erase="D"
    )
    assert config.revision == 3
    assert (config.code_ms, config.digit_ms, config.total_ms) == (1000, 1500, 9000)
    assert config.country == "de"
    assert config.ops == ("blind",)
    assert config.roles == Roles("#", "D", "C", "B")


def test_fields_left_out_or_none_have_their_defaults():
    config = read(code_ms=None, country=None, ops=None, commit=None)
    assert config.code_ms == configs.CODE_MS
    assert config.ops == operations.names()
    assert config.roles.commit == "A"


def test_a_digit_map_that_somebody_has_compiled_is_not_compiled_again():
    compiled = compile_document({"digit_map": "internal:2x"}, STANDARD_ROLES)
    assert read_config({"rev": 3, "digit_map": "internal:2x"}, STANDARD_ROLES, compiled).digit_map is compiled


def test_no_operations_at_all_is_not_the_default():
    assert read(ops=[]).ops == ()


def test_what_does_not_go_together_is_refused_with_a_sentence():
    assert complaint(digit_map="1xx") == (
        "digit map, position 1: this alternative has no class; write for example internal:1xx"
    )
    assert complaint(country="zz") == "there are no tones for country zz"
    assert complaint(ops=["blind", "park"]) == "there is no operation park"
    assert complaint(erase="A") == "two roles cannot have the same key"
    assert complaint(swap="5") == "key 5 cannot be the swap key, because numbers need it"
    assert complaint(digit_map="a:1*2", erase="*").endswith("key * has another use and cannot be part of a number")
    assert complaint(digit_map="a:1x#", cancel="#").endswith("key # has another use and cannot be part of a number")


def test_a_commit_key_that_is_the_hash_key_may_end_numbers_in_the_map():
    assert read(digit_map="a:1x.#", commit="#").roles.commit == "#"
