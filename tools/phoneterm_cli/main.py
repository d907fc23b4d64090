"""The `phoneterm` command: puts the parts' own commands under one name, and turns their errors into one sentence.

Does no work of its own. Each part owns its commands; this file only says where they hang.
"""

import typer
from board_check.cli import app as board_app
from device_cable.cli import app as device_app
from fault_lab.cli import app as chaos_app
from firmware_build.cli import app as firmware_app
from keypad_lab.cli import app as keys_app
from lab_parts.cli import app as parts_app
from link_lab.cli import app as link_app
from pbx_bench.cli import app as pbx_app
from pbx_lab.cli import app as lab_app
from phoneterm_bridge.cli import bridge_app, broker_app, journal_app, policy_app, terminal_app, user_app, why
from phoneterm_bridge.cli.backup import app as backup_app
from phoneterm_bridge.cli.doctor import doctor
from virtual_phone.cli import app as phone_app

from phoneterm_cli.digit_map import app as digit_map_app
from phoneterm_cli.run import run

app = typer.Typer(
    help="The phone terminal: firmware on a virtual phone, the bridge to the PBX, and the lab to try them in.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("run")(run)
app.add_typer(bridge_app, name="bridge")
app.add_typer(broker_app, name="broker")
app.add_typer(terminal_app, name="terminal")
app.add_typer(user_app, name="user")
app.add_typer(policy_app, name="policy")
app.add_typer(journal_app, name="journal")
app.add_typer(backup_app, name="backup")
app.command("why")(why)
app.command("doctor")(doctor)
app.add_typer(phone_app, name="phone")
app.add_typer(keys_app, name="keys")
app.add_typer(link_app, name="link")
app.add_typer(chaos_app, name="chaos")
app.add_typer(digit_map_app, name="digit-map")
app.add_typer(lab_app, name="lab")
app.add_typer(board_app, name="board")
app.add_typer(pbx_app, name="pbx")
app.add_typer(firmware_app, name="firmware")
app.add_typer(device_app, name="device")
app.add_typer(parts_app, name="parts")


def main() -> None:
    """Run the command line."""
    app()
