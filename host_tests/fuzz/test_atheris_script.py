"""The atheris script names what it can fuzz, and says in one sentence how to get atheris."""

import importlib.util

from fault_lab.decoder_checks import CHECKS
from fault_lab.fuzz import TARGETS, app
from typer.testing import CliRunner


def test_it_knows_every_check():
    assert tuple(CHECKS) == TARGETS


def test_without_atheris_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    result = CliRunner().invoke(app, ["--seconds", "1"])
    assert result.exit_code == 1
    assert result.output.startswith("atheris is not installed: pip install atheris")


def test_a_decoder_that_does_not_exist_is_one_sentence():
    result = CliRunner().invoke(app, ["--target", "toaster"])
    assert result.exit_code == 1
    assert "not toaster." in result.output
