"""The bridge's command lines: `phoneterm bridge`, `broker`, `terminal`, `user`, `policy`, `journal` and `why`."""

from phoneterm_bridge.cli.bridge import app as bridge_app
from phoneterm_bridge.cli.broker import app as broker_app
from phoneterm_bridge.cli.journal import app as journal_app
from phoneterm_bridge.cli.policy import app as policy_app
from phoneterm_bridge.cli.terminal import app as terminal_app
from phoneterm_bridge.cli.user import app as user_app
from phoneterm_bridge.cli.why import why

__all__ = ["bridge_app", "broker_app", "journal_app", "policy_app", "terminal_app", "user_app", "why"]
