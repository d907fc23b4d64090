"""Checks the table of situations in README.md against the tests that it names."""

import ast
import re
from pathlib import Path

import pytest

HOST_TESTS = Path(__file__).parents[1]
SITUATIONS = range(1, 26)
# A test runs on both PBXs if it uses one of these, directly or through another fixture of its file.
ON_BOTH_PBXS = {
    "pbx": {"kind", "lab", "desk", "open_desk", "office", "open_office"},
    "e2e": {"pbx_kind", "whole", "desk"},
}
# Tests of text only: no PBX is in them.
WITHOUT_A_PBX = {"test_ami_codec.py"}


def _rows():
    rows = {}
    for line in (HOST_TESTS / "pbx" / "README.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 4 and cells[0].isdecimal():
            rows[int(cells[0])] = re.findall(r"`([a-z0-9_/]+\.py::[a-z0-9_]+)`", cells[3])
    return rows


NAMED = sorted({test for tests in _rows().values() for test in tests})


def _functions(path):
    tree = ast.parse(path.read_text())
    return {node.name: node for node in tree.body if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)}


def _fixtures_of(function, functions):
    """Return the names of all fixtures of a function, including those that its file's fixtures use."""
    found = set()
    for argument in function.args.args:
        found.add(argument.arg)
        if argument.arg in functions:
            found |= _fixtures_of(functions[argument.arg], functions)
    return found


def test_every_situation_has_a_test():
    rows = _rows()
    assert list(rows) == list(SITUATIONS)
    assert all(rows.values())


@pytest.mark.parametrize("named", NAMED)
def test_the_named_test_exists_and_runs_on_both_pbxs(named):
    place, _, name = named.partition("::")
    functions = _functions(HOST_TESTS / place)
    assert name in functions, f"{place} has no {name}"
    folder, _, file = place.partition("/")
    if folder in ON_BOTH_PBXS and file not in WITHOUT_A_PBX:
        assert _fixtures_of(functions[name], functions) & ON_BOTH_PBXS[folder], f"{named} runs on one PBX only"
