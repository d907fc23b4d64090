"""The terminal login that the doctor uses to try the broker's rules, from the file that its enrolment wrote.

Does not connect. A bad file raises SetupProblem.
"""

import json
from pathlib import Path
from typing import NamedTuple

from phoneterm.core import messages

from phoneterm_bridge.settings.problem import SetupProblem


class ProbeLogin(NamedTuple):
    """A terminal's name and password at the broker."""

    tid: str
    password: str


def read_probe_login(path: Path) -> ProbeLogin:
    """Return the login in the settings file of a terminal, as `phoneterm terminal add --output` writes it."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8-sig"))
        tid, password = fields["tid"], fields["mqtt_password"]
    except OSError as error:
        raise SetupProblem(f"The terminal's settings {path} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        tid, password = None, None
    if not isinstance(password, str) or not isinstance(tid, str) or not messages.is_tid(tid):
        raise SetupProblem(
            f"The file {path} is not the settings of a terminal, as `phoneterm terminal add` writes them."
        )
    return ProbeLogin(tid, password)
