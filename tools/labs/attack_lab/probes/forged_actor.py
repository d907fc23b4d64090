"""Somebody changes rights under another's name, with line ends and escape sequences in it. Uses the command line."""

import os
import pwd

from phoneterm_bridge.cli import journal_app, user_app
from typer.testing import CliRunner

from attack_lab.probe import WITHOUT_BROKER, Probe
from attack_lab.site import Site

_HOSTILE = "anna; host pbx)\n2026-03-01 14:05:12 UTC  101: user added (cli:anna\x1b[2J\r\x9b31m\u202e"
_FORGED = "2026-03-01 14:05:12 UTC"


class ForgedActor(Probe):
    """See `sentence`."""

    name = "forged actor"
    sentence = "$LOGNAME, $USER, $SUDO_UID and $SSH_CONNECTION with another's name, line ends, escape sequences"
    brokers = WITHOUT_BROKER

    async def run(self, site: Site) -> str | None:
        """Add a user under all these names, and read the list of changes."""
        store = f"store.path={site.new_folder() / 'actor.db'}"
        names = ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_UID", "SUDO_USER", "SSH_CONNECTION")
        hostile = dict.fromkeys(names, _HOSTILE)
        runner = CliRunner()
        added = runner.invoke(user_app, ["add", "eve", "--set", store], env=hostile)
        if added.exit_code:
            return f"the command ended with {added.exit_code}: {added.output.strip()}"
        said = runner.invoke(journal_app, ["changes", "--set", store]).output
        if any(not line.isprintable() for line in said.split("\n")):
            return "the list of changes has characters that steer a terminal window"
        if any(line.startswith(_FORGED) for line in said.split("\n")):
            return "the list of changes has a forged line"
        me = pwd.getpwuid(os.getuid()).pw_name
        return None if f"(cli:{me}; " in said else f"the list of changes does not name {me}: {said.strip()}"
