"""The bridge's command lines: `phoneterm bridge`, `phoneterm broker`, `phoneterm terminal` and `phoneterm user`."""

from phoneterm_bridge.cli.bridge import app as bridge_app
from phoneterm_bridge.cli.broker import app as broker_app
from phoneterm_bridge.cli.terminal import app as terminal_app
from phoneterm_bridge.cli.user import app as user_app

__all__ = ["bridge_app", "broker_app", "terminal_app", "user_app"]
