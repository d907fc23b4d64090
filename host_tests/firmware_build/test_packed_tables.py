"""A table that is written for people reaches a device only as the text that its module packs it into."""

import ast
from pathlib import Path

import pytest
from firmware_build.sizes import slim_package
from firmware_build.slimming.limits import CannotSlim
from firmware_build.slimming.modules import slim
from phoneterm.core import call, outcomes

_FIRMWARE = Path(__file__).parents[2] / "firmware"
_TABLE = (Path(__file__).parent / "vm_modules" / "packed_table.py").read_text()


def test_the_rows_and_what_packs_them_stay_at_home():
    text = slim({"table": _TABLE}, ["find"]).texts["table"]
    texts = {node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)}
    assert "sent=talking/done=idle" in texts
    assert not texts & {"sent", "talking", "done", "idle"}
    assert "join" not in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("_ROWS)", "Pin(1))"), r"table, line 16: the table cannot be packed: name 'Pin' is not defined\."),
        (('"/".join([', "list(["), r"table, line 16: a packed table is a text or a number\."),
    ],
)
def test_what_cannot_be_packed_is_refused_with_its_line(change, words):
    with pytest.raises(CannotSlim, match=words):
        slim({"table": _TABLE.replace(*change)}, ["find"])


@pytest.mark.parametrize(("module", "of_a_row"), [(call, "call-ringing"), (outcomes, "PBX cannot do it")])
def test_a_table_of_the_core_reaches_a_device_as_the_text_that_a_computer_runs_on(module, of_a_row):
    text = slim_package(_FIRMWARE).texts[module.__name__]
    assert of_a_row in module._TABLE
    assert repr(module._TABLE) in text
    assert of_a_row not in text.replace(module._TABLE, "")
