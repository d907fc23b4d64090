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


def _voipnow_rows():
    """Return the tests of each situation on VoipNow; a row may be of several ("12 to 20")."""
    rows = {}
    for line in (HOST_TESTS / "pbx" / "README.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        numbers = re.findall(r"\d+", cells[0]) if len(cells) == 3 else []
        for number in range(int(numbers[0]), int(numbers[-1]) + 1) if numbers else ():
            found = re.findall(r"`([a-z0-9_/]+\.py::[a-z0-9_]+)`", cells[2])
            rows[number] = rows.get(number, []) + found
    return rows


ON_VOIPNOW = sorted({test for tests in _voipnow_rows().values() for test in tests})


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


def test_every_situation_says_what_happens_on_voipnow():
    rows = _voipnow_rows()
    assert sorted(rows) == list(SITUATIONS)
    assert all(rows.values())


@pytest.mark.parametrize("named", ON_VOIPNOW)
def test_the_named_test_runs_on_voipnow(named):
    """It is in a file whose every test does, or taken over there from another file."""
    place, _, name = named.partition("::")
    assert place.startswith(("voipnow/", "e2e/test_voipnow_"))
    tree = ast.parse((HOST_TESTS / place).read_text())
    taken = {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert name in taken | _functions(HOST_TESTS / place).keys(), f"{place} has no {name}"
