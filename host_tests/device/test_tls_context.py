"""The terminal's TLS context: a setting that does not work gives one sentence. On the MicroPython VM, no broker."""

import json
from pathlib import Path

import pytest
from vm_program import run_program

_PROGRAM = Path(__file__).parent / "vm_modules" / "tls_context.py"


def make(has_psk=True, **texts):
    """Make a context from settings; return the Problem, or whether there is one."""
    (line,) = run_program(_PROGRAM, json.dumps({"tid": "t101"} | texts), "psk" if has_psk else "")
    return json.loads(line)


def test_without_tls_there_is_none():
    assert make(tls="off") == [False]


def test_a_shared_key_needs_no_file():
    assert make(tls="psk", tls_psk=bytes(32).hex()) == [True]


def test_an_interpreter_without_tls_psk_says_so():
    said = make(tls="psk", tls_psk=bytes(32).hex(), has_psk=False)
    assert said == ["tls", "This interpreter has no TLS-PSK: use tls = ca."]


@pytest.mark.parametrize("content", [None, b"nothing"])
def test_a_ca_that_is_not_there_or_no_ca_is_named(tmp_path, content):
    path = tmp_path / "ca.der"
    if content is not None:
        path.write_bytes(content)
    key, sentence = make(tls="ca", tls_ca_path=str(path))
    assert key == "tls_ca_path"
    assert sentence.startswith("The setting tls_ca_path does not name a file in DER form: ")
