"""What a running bridge does not load. Each test has a process of its own, because this one has loaded much already."""

import subprocess
import sys

_LOAD_THE_BRIDGE = """
import sys
from phoneterm_cli.main import make_app
make_app(("bridge",))
"""


def _run(program: str) -> str:
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return run.stdout.strip()


def test_the_bridge_does_not_load_rich_with_its_logs() -> None:
    printed = _run(_LOAD_THE_BRIDGE + "print('structlog' in sys.modules, 'rich' in sys.modules)")
    assert printed == "True False"


def test_who_wants_rich_after_that_gets_it() -> None:
    assert _run(_LOAD_THE_BRIDGE + "from rich.table import Table\nprint(Table.__name__)") == "Table"


def test_an_error_is_still_logged_with_its_traceback_and_no_variables() -> None:
    program = (
        _LOAD_THE_BRIDGE
        + """
import structlog
from phoneterm_bridge.wording.logs import set_up_logs
set_up_logs("console", "info")
sys.stderr = sys.stdout
set_up_logs("console", "info")
try:
    secret = "a" + "b" * 3
    raise ValueError("broken")
except ValueError:
    structlog.get_logger().exception("went-wrong")
"""
    )
    printed = _run(program)
    assert "ValueError: broken" in printed and "abbb" not in printed
