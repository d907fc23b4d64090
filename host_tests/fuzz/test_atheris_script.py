"""The bounded atheris run: every decoder passes, a failing check is found, and misuse is one sentence."""

import sys

import pytest
from fault_lab.decoder_checks import CHECKS
from fault_lab.fuzz import TARGETS, Bounds, app, fuzz_one
from typer.testing import CliRunner

BOUNDS = Bounds(seconds=15, runs=4000)


def test_it_knows_every_check():
    assert tuple(CHECKS) == TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_that_atheris_finds_breaks_a_decoder(name, tmp_path, capsys):
    assert fuzz_one(name, BOUNDS, tmp_path), capsys.readouterr().out
    assert f"{name}: ok, " in capsys.readouterr().out


def test_a_check_that_does_not_hold_is_found_and_its_input_kept(tmp_path, capsys):
    assert not fuzz_one("device", BOUNDS, tmp_path, checks="fuzz.broken_checks")
    (kept,) = (tmp_path / "device").glob("crash-*")
    assert max(kept.read_bytes()) > 127
    assert f"device: BROKEN; kept: {kept}" in capsys.readouterr().out


def test_without_atheris_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "atheris", None)  # as where it is not installed
    result = CliRunner().invoke(app, ["--seconds", "1"])
    assert result.exit_code == 1
    assert result.output.startswith("atheris is not installed: pip install atheris")


def test_a_decoder_that_does_not_exist_is_one_sentence():
    result = CliRunner().invoke(app, ["--target", "toaster"])
    assert result.exit_code == 1
    assert "not toaster." in result.output
