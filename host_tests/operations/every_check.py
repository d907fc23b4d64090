"""Lets every check of phone and bridge judge two operations that do not exist and one that does; prints JSON.

Usage: every_check.py FIRMWARE FOLDER. `park` is in no table. The table of FIRMWARE, which is first on the path, has
`lend`, whose row names no permission. The PBXs here claim both, and the user has every existing permission.
"""

import asyncio
import json
import sys
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import typer
from attack_lab.scenery.fake_pbx import FakePbx, talking
from attack_lab.scenery.scene import Scene
from pbx.blind_only import BlindOnlyPbx
from phoneterm.core import mac, messages, operations
from phoneterm.core.actions import Publish
from phoneterm.core.collector import Collector
from phoneterm.core.config import read_config
from phoneterm.core.keymap import STANDARD_LEGENDS, STANDARD_ROLES, Keymap
from phoneterm.core.permissions import Permissions
from phoneterm.core.terminal import Identity, Terminal
from phoneterm_bridge.cli.why import why
from phoneterm_bridge.command.checks import Checks
from phoneterm_bridge.command.command import Command
from phoneterm_bridge.command.pbx_requests import PbxRequests
from phoneterm_bridge.csv_files.plan import ImportPlan, Known
from phoneterm_bridge.csv_files.rows import COLUMNS, CsvRow
from phoneterm_bridge.pbx.ami.settings import AmiSettings
from phoneterm_bridge.pbx.asterisk.adapter import AsteriskPbx
from phoneterm_bridge.pbx.calls import refusal_of_call
from phoneterm_bridge.pbx.port import Target
from phoneterm_bridge.settings.bridge import BridgeSettings, PbxSettings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.terminals.phone_config import make_config
from phoneterm_bridge.wording.why import explain
from typer.testing import CliRunner

NAMES = {"park": "#8", "lend": "#9", "blind": "#1"}  # with the codes that a user would key
NUMBER = "102"
PERMITTED = {"rev": 1, "multi_user_aware": True, "blind": True, "attended": True, "classes": ["internal"]}
KEY = b"k" * 32


def key_it(name):
    collector = Collector(read_config({}, STANDARD_ROLES))
    return str([collector.on_press(legend) for legend in NAMES[name]][-1])


def ask_permissions(name):
    permissions = Permissions()
    permissions.replace(PERMITTED)
    return permissions.allows_kind(name) or permissions.allows(name, "internal")


def key_at_terminal(name):
    """Return the commands that a terminal in a call sends for the operation's keys."""
    identity = Identity("desk-1", "phoneterm", KEY, "9f3c", "1", "VIRTUAL", None)
    terminal = Terminal(identity, Keymap(), STANDARD_ROLES, read_config)
    terminal.on_link(True)

    def receive(kind, **fields):
        topic = messages.topic_of("phoneterm", "desk-1", kind)
        terminal.on_message(topic, messages.encode(kind, topic, KEY, fields))

    receive(messages.SESSION, boot="9f3c", session="7d20", ttl_ms=8000)
    receive(messages.PERMISSIONS, **PERMITTED)
    receive(messages.CALL, state="talking", call="c1")
    actions = []
    for legend in NAMES[name] + NUMBER:
        actions += [*terminal.on_time(100), *terminal.on_key(STANDARD_LEGENDS.index(legend), True)]
        actions += terminal.on_key(STANDARD_LEGENDS.index(legend), False)
    return [action.topic for action in actions if isinstance(action, Publish)]


def fields_of(name):
    return {"id": "7d20.1", "op": name, "number": NUMBER, "first_ms": 1, "since_ms": 1, "call": "c1"}


def encode(name):
    try:
        return messages.encode(messages.COMMAND, "t", KEY, fields_of(name)).decode()
    except ValueError:
        return "ValueError"


def decode(name):
    text = json.dumps(fields_of(name) | {"v": 1})
    signature = mac.sign(KEY, f"t\n{text}".encode())
    decoded = messages.decode(messages.COMMAND, "t", KEY, f"{text}\n{signature}".encode())
    return decoded.reason if isinstance(decoded, messages.Rejected) else "taken"


def read_settings_of_bridge(name):
    config = read_config({"rev": 1, "digit_map": "internal:1xx", "ops": ["blind", name]}, STANDARD_ROLES)
    return config.detail if isinstance(config, messages.Rejected) else "taken"


def command_of(scene, name, session):
    terminal = scene.bridge.parts.directory.find("phone-101")
    return Command(terminal, fields_of(name) | {"id": f"{session.session}.{session.sequence + 1}"})


class PermissivePolicy:
    """A policy that lets everything through."""

    def refusal(self, *_):
        return None

    def is_external(self, *_):
        return False


async def ask_checks(scene, terminal, name, policy):
    parts = scene.bridge.parts
    checks = Checks(
        parts.directory, parts.sessions, policy, parts.site.limits, scene.pbx, PbxRequests(scene.pbx),
        parts.running_commands,
    )  # fmt: skip
    command = command_of(scene, name, terminal)
    running, reason = await checks.check(command)
    return [running and running.command_id, reason, command.trail[-1][0]]


def begin(scene, name):
    try:
        scene.bridge.parts.running_commands.begin("phone-101", "s.1", name, talking("c1"))
    except ValueError as error:
        return str(error)
    return "begun"


async def ask_pbx(name):
    pbx = FakePbx()
    pbx.operations |= {name}
    outcome = await PbxRequests(pbx).ask_for_operation(name, talking("c1"), "internal", NUMBER)
    return [*outcome, len(pbx.asked)]


async def carry_out(pbx, name):
    return [*await pbx.carry_out(name, talking("c1"), Target("internal", NUMBER))]


def import_csv(name):
    plan = ImportPlan(Known())
    cells = dict.fromkeys(COLUMNS, "") | {"user": "u", "extension": "109", "terminal": "t109", "operations": name}
    plan.add(CsvRow(1, cells))
    return [mistake.column for mistake in plan.mistakes]


def grant(scene, name):
    try:
        scene.directory.set_operation("phone-101", name, True)
    except SetupProblem as problem:
        return str(problem)
    return "granted"


def ask_why(name):
    command = SimpleNamespace(op=name, number=NUMBER, extension="101", received_ms=0)
    line = SimpleNamespace(at_ms=0, stage="result", word="done", reason=None, detail=None, seq=0, part=0)
    return explain(SimpleNamespace(command=command, lines=(line,)))


def ask_why_on_command_line(name, store):
    app = typer.Typer()
    app.command()(why)
    return CliRunner().invoke(app, ["101", "--op", name, "--set", f"store.path={store}"]).exit_code


async def main(firmware, folder):
    assert Path(operations.__file__).is_relative_to(firmware)
    scene = await Scene(folder).start()
    scene.pbx.operations |= set(NAMES)
    terminal = await scene.terminal()
    await terminal.hello()
    parts, now = scene.bridge.parts, datetime(2026, 3, 2, 12)
    record = parts.directory.find("phone-101")
    asterisk = AsteriskPbx(AmiSettings("127.0.0.1", 1, "u", "s"))
    blind_only = BlindOnlyPbx(BridgeSettings(pbx=PbxSettings(host="127.0.0.1", port=1, username="u", secret="s")))
    verdicts = {}
    for name in NAMES:
        verdicts[name] = {
            "collector": key_it(name),
            "permissions": ask_permissions(name),
            "terminal": key_at_terminal(name),
            "encode": encode(name),
            "decode": decode(name),
            "config of the phone": read_settings_of_bridge(name),
            "config of the bridge": name
            in make_config(scene.settings.phones, scene.pbx.operations, scene.engine)["ops"],
            "policy": list(parts.policy.refusal(record, name, NUMBER, now) or ()),
            "checks": await ask_checks(scene, terminal, name, parts.policy),
            "checks behind a policy that lets it through": await ask_checks(scene, terminal, name, PermissivePolicy()),
            "calls": [refusal_of_call(talking("c1"), name, NUMBER, False)],
            "running commands": begin(scene, name),
            "requests to the PBX": await ask_pbx(name),
            "backend": await carry_out(asterisk, name),
            "second backend": await carry_out(blind_only, name),
            "import": import_csv(name),
            "directory": grant(scene, name),
            "why": ask_why(name),
            "why on the command line": ask_why_on_command_line(name, scene.settings.store.path),
        }
    await scene.stop()
    print(json.dumps(verdicts))


asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
