"""A later version of the bridge: a copy of its code with one more migration; its commands run as processes.

The tested version's own commands run as processes too, or in this one where nothing depends on that.

Does not touch the code that the tests themselves run.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import phoneterm_bridge
import phoneterm_cli
from phoneterm_bridge.store.schema import known_schemas
from phoneterm_cli.main import make_app
from typer.testing import CliRunner

SCHEMA = "9001"
_MIGRATION = f'''"""What a later version adds."""

import sqlalchemy as sa
from alembic import op

revision = "{SCHEMA}"
down_revision = "{{}}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what the previous version can leave alone."""
    op.add_column("users", sa.Column("later", sa.Text, nullable=False, server_default=""))
'''
_RENAMING = """\
    # The previous version writes to this table with every command, and cannot any more; nor can this copy of its code.
    op.rename_table("commands_indexed", "commands_indexed_later")
"""


def write_migration(package, newest=None, more=""):
    """Add the migration to a copy of the bridge's package; `more` lines of it."""
    migrations = package / "store" / "migrations" / "versions"
    (migrations / f"v{SCHEMA}_later.py").write_text(_MIGRATION.format(newest or known_schemas()[-1]) + more)


class LaterVersion:
    """The folder with that version's code."""

    def __init__(self, folder, newest):
        self._folder = folder
        for package in (phoneterm_bridge, phoneterm_cli):
            place = Path(package.__file__).parent
            shutil.copytree(place, folder / place.name, ignore=shutil.ignore_patterns("__pycache__"))
        write_migration(folder / "phoneterm_bridge", newest, _RENAMING)

    def run(self, *arguments, store, exit_code=0):
        """Run one command to its end; return its output, which must not be a traceback."""
        return run_command(*arguments, store=store, exit_code=exit_code, code=self._folder)


def run_command(*arguments, store, exit_code=0, code=None):
    """Run a `phoneterm` command as a process; `code` is the folder of another version, if given."""
    done = subprocess.run(
        [sys.executable, "-c", "from phoneterm_cli.main import main; main()", *arguments, f"--set=store.path={store}"],
        env=os.environ | ({"PYTHONPATH": str(code)} if code else {}), capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == exit_code, said
    assert "Traceback" not in said
    return said


def run_here(*arguments, store, exit_code=0):
    """Run a `phoneterm` command in this process; return its output, as `run_command` does."""
    done = CliRunner().invoke(make_app((arguments[0],)), [*arguments, f"--set=store.path={store}"])
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    assert done.exit_code == exit_code, done.output
    assert "Traceback" not in done.output
    return done.output
