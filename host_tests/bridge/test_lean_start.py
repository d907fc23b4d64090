"""What a running bridge does not load. Each test has a process of its own, because this one has loaded much already."""

import subprocess
import sys
from pathlib import Path


def _run(what: str) -> subprocess.CompletedProcess[str]:
    program = Path(__file__).with_name("load_the_bridge.py")
    return subprocess.run([sys.executable, program, what], capture_output=True, text=True, timeout=60, check=True)


def test_the_bridge_does_not_load_rich_with_its_logs() -> None:
    assert _run("loaded").stdout == "True False\n"


def test_who_wants_rich_after_that_gets_it() -> None:
    assert _run("rich").stdout == "Table\n"


def test_an_error_is_still_logged_with_its_traceback_and_no_variables() -> None:
    run = _run("error")
    assert "ValueError: broken" in run.stderr
    assert run.stdout == "ababab\n"
    assert "ababab" not in run.stderr
