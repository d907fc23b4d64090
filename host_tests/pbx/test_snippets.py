"""The snippets that a PBX administrator copies are the ones the lab runs with, and each is described."""

from pathlib import Path

import pytest
from pbx_lab.asterisk_server import CODES
from pbx_lab.config_files import SNIPPETS, TEMPLATES
from pbx_lab.lab import LabOptions

_NAMES = sorted(path.name for path in SNIPPETS.iterdir())


@pytest.mark.parametrize("name", _NAMES)
def test_a_snippet_is_used_by_the_lab_and_described(name):
    server = Path(TEMPLATES).parent / "asterisk_server.py"
    used = [*(path.read_text() for path in TEMPLATES.glob("*.conf")), *CODES[LabOptions().codes].values()]
    assert any(f'#include "{name}"' in text for text in used) or f'"{name}"' in server.read_text()
    assert name in (TEMPLATES / "README.md").read_text()


@pytest.mark.parametrize("name", _NAMES)
def test_a_snippet_stands_for_itself(name):
    """It has no value of the lab except the secret, and its first line says where it belongs."""
    text = (SNIPPETS / name).read_text()
    assert text.startswith("; ")
    assert "@" not in text.replace("@secret@", "")
