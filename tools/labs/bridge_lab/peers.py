"""What a user would otherwise build: fetches the packages, and makes each peer ready to run in place of the bridge.

Does not install them or make them a dependency: they go into `build/` and stay there until `make clean`. A peer that
cannot be fetched on this machine is left out of the table. Neither peer makes any check of its own.
"""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from phoneterm.core import messages

_ROOT = Path(__file__).parents[3] / "build" / "bridge_lab"
_SCRIPTS = Path(__file__).parent / "peer"
_NODE_RED = ("node-red@4", "asterisk-manager@0.2")
_PYTHON_AMI = ("asterisk-ami==0.1.7", "paho-mqtt==2.1.0")


@dataclass(frozen=True)
class Surroundings:
    """Where everything is, for a peer: ports, login, the channel of each terminal."""

    base: str
    broker_port: int
    mqtt_user: str
    pbx_port: int
    pbx_user: str
    secret: str
    channels: dict[str, str]
    ui_port: int

    def environment(self) -> dict[str, str]:
        """Return the same as environment variables."""
        return {
            "LAB_MQTT_PORT": str(self.broker_port), "LAB_MQTT_USER": self.mqtt_user, "LAB_SECRET": self.secret,
            "LAB_PBX_PORT": str(self.pbx_port), "LAB_PBX_USER": self.pbx_user, "LAB_UI_PORT": str(self.ui_port),
            "LAB_CHANNELS": json.dumps(self.channels), "LAB_FILTER": _commands_of_all(self.base),
        }  # fmt: skip


@dataclass(frozen=True)
class Peer:
    """A peer that can be started: its command, and the log lines that show that it takes commands."""

    name: str
    argv: list[str]
    environment: dict[str, str]
    is_ready: str


def make_node_red(folder: Path, where: Surroundings, fetched: Path = _ROOT) -> Peer | None:
    """Return a Node-RED 4 with the flow MQTT -> asterisk-manager -> MQTT in `folder`, or None.

    fetched: the folder with the packages.
    """
    packages = fetched / "node-red"
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        return None
    if not (packages / ".ready").exists() and not _install(
        [npm, "install", "--no-audit", "--no-fund", "--no-save", "--prefix", str(packages), *_NODE_RED], packages
    ):
        return None
    shutil.copy(_SCRIPTS / "settings.js", folder / "settings.js")
    (folder / "node_modules").symlink_to(packages / "node_modules")
    (folder / "flows.json").write_text(json.dumps(_flow(where)))
    login = {"broker": {"user": where.mqtt_user, "password": where.secret}}
    (folder / "flows_cred.json").write_text(json.dumps(login))
    red = packages / "node_modules" / "node-red" / "red.js"
    argv = [node, str(red), "--userDir", str(folder), "--settings", str(folder / "settings.js")]
    return Peer("Node-RED 4", argv, where.environment(), "Connected to broker")


def make_python_ami(folder: Path, where: Surroundings) -> Peer | None:
    """Return python-ami behind paho-mqtt, or None."""
    packages = _ROOT / "python-ami"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(packages), *_PYTHON_AMI]
    if not (packages / ".ready").exists() and not _install(pip, packages):
        return None
    script = shutil.copy(_SCRIPTS / "python_ami.py", folder / "python_ami.py")
    environment = where.environment() | {"PYTHONPATH": str(packages)}
    return Peer("python-ami", [sys.executable, str(script)], environment, "subscribed")


def _install(command: list[str], folder: Path) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    is_there = subprocess.run(command, capture_output=True, check=False).returncode == 0
    if is_there:
        (folder / ".ready").touch()
    return is_there


def _commands_of_all(base: str) -> str:
    return messages.topic_of(base, "+", messages.COMMAND)


def _flow(where: Surroundings) -> list[dict]:
    """Return the flow: three nodes and the broker they share."""
    broker = {
        "id": "broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(where.broker_port),
        "clientid": "", "protocolVersion": "4", "keepalive": "60", "cleansession": True, "autoConnect": True,
    }  # fmt: skip
    return [
        {"id": "tab", "type": "tab", "label": "commands"},
        broker,
        {"id": "in", "z": "tab", "type": "mqtt in", "topic": _commands_of_all(where.base), "qos": "1",
         "datatype": "buffer", "broker": "broker", "wires": [["do"]]},
        {"id": "do", "z": "tab", "type": "function", "name": "transfer", "outputs": 1,
         "func": (_SCRIPTS / "command.js").read_text(), "wires": [["out"]]},
        {"id": "out", "z": "tab", "type": "mqtt out", "topic": "", "qos": "1", "retain": "false",
         "broker": "broker", "wires": []},
    ]  # fmt: skip
