"""Slimmed modules behave as before, with fewer and shorter names; names that other code uses stay."""

import importlib
import sys
from pathlib import Path

import pytest
from firmware_build import cli
from firmware_build.slimming.modules import slim
from typer.testing import CliRunner

_FIRMWARE = Path(__file__).parents[2] / "firmware"

_OURS = Path(__file__).parent / "vm_modules"
_WIRE, _USER, _OUTSIDE = ((_OURS / name).read_text() for name in ("ours/wire.py", "ours/user.py", "outside.py"))


@pytest.fixture
def slimmed(tmp_path, monkeypatch):
    """The two modules, slimmed and importable on CPython: their texts, and the second of them."""
    texts = slim({"ours": "", "ours.wire": _WIRE, "ours.user": _USER}, [_OUTSIDE]).texts
    folder = tmp_path / "ours"
    folder.mkdir()
    for name, text in texts.items():
        file = folder / f"{name.partition('.')[2] or '__init__'}.py"
        file.write_text("const = int\n" + text.replace("from micropython import const", ""))
    monkeypatch.syspath_prepend(tmp_path)
    yield texts, importlib.import_module("ours.user")
    for name in texts:
        sys.modules.pop(name, None)


class _Foreign:
    state = "free"
    encode = "the box's own"


def test_what_the_modules_do_is_what_they_did(slimmed):
    _, user = slimmed
    assert user.run(_Foreign) == (("up/hello<n>ab3", 6), "<y>", ("<y>", False), "free")
    assert user.late() == "late3"


def test_a_local_name_that_hides_a_module_is_not_taken_for_it(slimmed):
    _, user = slimmed
    assert user.hide(_Foreign) == "the box's own"


def test_a_name_that_is_asked_of_a_module_that_is_handed_over_stays(slimmed):
    _, user = slimmed
    assert user.hand_over(lambda module: module.LONG) == "a text of more than ten"


@pytest.mark.parametrize("name", ["VERSION", "HELLO", "FOR_TESTS", "_LIMIT", "used_by_nobody", "_cut", "_name",
                                  "_decorate", "_READERS", "Link", "is_up_now", "read_now",
                                  "ask_content"])  # fmt: skip
def test_a_name_that_nobody_outside_needs_is_gone(slimmed, name):
    texts, _ = slimmed
    assert name not in "".join(texts.values())


@pytest.mark.parametrize("name", ["limit", "state", "greet", "encode", "LONG", "Pair", "left"])
def test_keywords_fields_and_what_is_asked_for_keep_their_names(slimmed, name):
    texts, _ = slimmed
    assert name in "".join(texts.values())


def test_the_same_modules_give_the_same_text():
    assert slim({"one": _WIRE}, []) == slim({"one": _WIRE}, [])


def test_what_the_language_itself_calls_stays_however_it_is_defined():
    source = "class Pin:\n    def value(self):\n        return 7\n\n    __call__ = value\n"
    names = {}
    exec(slim({"pins": source}, ["from pins import Pin"]).texts["pins"], names)
    assert names["Pin"]()() == 7


def test_what_is_not_python_is_the_compilers_to_say():
    with pytest.raises(SyntaxError):
        slim({"one": "def broken(:"}, [])


def test_the_letters_can_be_told_back():
    slimmed = slim({"ours": "", "ours.wire": _WIRE, "ours.user": _USER}, [_OUTSIDE])
    letter = slimmed.names["ours.wire"]["_decorate"]
    assert f"def {letter}(self" in slimmed.texts["ours.wire"]


def test_the_command_tells_the_letters_of_a_module_back():
    result = CliRunner().invoke(cli.app, ["names", "mqtt"])
    assert result.exit_code == 0
    letter, name = result.output.split()[-2:]
    assert (len(letter) <= 2, name in (_FIRMWARE / "phoneterm/device/mqtt.py").read_text()) == (True, True)


def test_a_module_that_is_not_there_is_one_sentence():
    result = CliRunner().invoke(cli.app, ["names", "tea"])
    assert (result.exit_code, result.output) == (1, "There is no module tea in the firmware.\n")


def test_what_is_assigned_to_several_names_makes_no_tuple():
    source = "class Pins:\n    def both(self):\n        left, right = self.one, self.two\n        return left + right\n"
    assert ", " in slim({"pins": source}, ["Pins.both"]).texts["pins"].split(" = ")[1]
    assert "(" not in slim({"pins": source}, ["Pins.both"]).texts["pins"].split(" = ")[1].partition("return")[0]


def test_the_text_of_our_own_mistake_is_left_out_but_not_that_of_a_constructor():
    source = (
        "class Map:\n"
        "    def __init__(self, size):\n"
        "        if size < 0:\n"
        "            raise ValueError('a map of board.py has a size')\n"
        "        self.size = size\n"
        "    def at(self, place):\n"
        "        if place > self.size:\n"
        "            raise ValueError('no place ' + str(place))\n"
        "        raise OSError('no map')\n"
    )
    text = slim({"ours": source}, ["import ours\nours.Map(3).at(1)\n"]).texts["ours"]
    assert "no place" not in text
    assert "raise ValueError\n" in text
    assert "a map of board.py has a size" in text
    assert "raise OSError('no map')" in text
