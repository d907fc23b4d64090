"""A bridge with a store, for boards at the bench's cable: its settings, its extension 101, and commands with them.

Does not own the bench or the board.
"""

from attack_lab.scenery.fake_pbx import FakePbx
from attack_lab.scenery.fresh_store import open_fresh_store
from phoneterm_bridge.service import Bridge
from phoneterm_bridge.settings.bridge import load_settings
from phoneterm_bridge.store import reading
from phoneterm_bridge.store.directory import Directory

WIFI = {"PHONETERM_WIFI_SSID": "office", "PHONETERM_WIFI_PASSWORD": "correct horse"}
HERE = "broker.test"  # this machine, as the boards see it (vm_modules/socket.py)
TID = "phone-101"


class Site:
    """A bridge's settings and store, with the extension 101; `run` runs device commands with them."""

    def __init__(self, bench):
        self.bench = bench
        self.config = bench.folder / "bridge.toml"
        self.config.write_text('[broker]\nport = 0\nallow_plain = true\n[store]\npath = "bridge.db"\n')
        self.settings = load_settings(self.config)
        self.engine = open_fresh_store(self.settings.store.path)
        self.directory = Directory(self.engine, "test")
        self.directory.add_user("tech1", True)
        self.directory.add_extension("101", "tech1")
        self.bridge = None

    async def start(self):
        self.bridge = Bridge(self.settings, FakePbx())
        await self.bridge.start()

    async def stop(self):
        if self.bridge:
            await self.bridge.stop()
        self.engine.dispose()

    def record(self, tid=TID):
        return reading.read_snapshot(self.engine).terminals.get(tid)

    def provision(self, *options, exit_code=0, environment=WIFI, typed=None):
        port = self.bridge.broker_port if self.bridge else 1883
        options = ("--extension", "101", "--mqtt-host", HERE, "--set", f"broker.port={port}", *options)
        return self.run("provision", *options, exit_code=exit_code, environment=environment, typed=typed)

    def run(self, command, *options, **expected):
        return self.bench.run(command, "--config", str(self.config), *options, **expected)


def texts_of(board):
    return {key: value.decode() for (_, key), value in board.nvs.values.items()}
