"""Loads the bridge as its command does, in a process of its own, and prints what a test asks for."""

import sys

from phoneterm_cli.main import make_app


def _say_what_is_loaded() -> None:
    print("structlog" in sys.modules, "rich" in sys.modules)


def _use_rich() -> None:
    from rich.table import Table

    print(Table.__name__)


def _log_an_error() -> None:
    import structlog
    from phoneterm_bridge.wording.logs import set_up_logs

    set_up_logs("console", "info")
    secret = "ab" * 3
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger().exception("went-wrong")
    print(secret)


make_app(("bridge",))
{"loaded": _say_what_is_loaded, "rich": _use_rich, "error": _log_an_error}[sys.argv[1]]()
