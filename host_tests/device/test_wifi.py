"""The Wi-Fi supervisor on the real MicroPython VM, with a radio that does what the story says."""

import os
import subprocess
import textwrap
from pathlib import Path

from virtual_phone import vm

_STORY = """
import asyncio
from phoneterm.core.backoff import Backoff
from phoneterm.device import wifi

class Radio:
    def __init__(self):
        self.asked = []
        self.number = 1000

    def active(self, is_active):
        self.asked.append("active")

    def connect(self, ssid, password):
        self.asked.append((ssid, password))
        self.on_connect()

    def disconnect(self):
        self.number = 1000

    def isconnected(self):
        return self.number == 1010

    def status(self, what=None):
        return -61 if what else self.number

    def on_connect(self):
        self.number = 1010

radio = Radio()
changes = []
station = wifi.Wifi(radio, "lab", "pw", Backoff(5, 20), lambda: 0.5, changes.append, print)

async def until(condition):
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep_ms(1)
    raise ValueError("what was waited for did not happen")

async def main():
    asyncio.create_task(station.run())
    await story()

"""


def tell(tmp_path, story):
    """Run a story to its end and return the lines it printed."""
    path = tmp_path / "story.py"
    path.write_text(_STORY + textwrap.dedent(story) + "\nasyncio.run(main())\n")
    firmware = Path(__file__).parents[2] / "firmware"
    argv, environment = vm.command(path, 160, [firmware])
    done = subprocess.run(argv, env=os.environ | environment, capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_a_lost_network_is_joined_again_and_both_are_told(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            await station.wait_up()
            print(station.rssi())
            radio.number = 200
            await until(lambda: len(changes) == 3)
            print(changes, radio.asked)
        """,
    )
    asked = "['active', ('lab', 'pw'), ('lab', 'pw')]"
    assert lines == ["wifi-up joined", "-61", "wifi-down the network was lost", "wifi-up joined",
                     f"[True, False, True] {asked}"]  # fmt: skip


def test_a_wrong_password_is_said_and_tried_again_later(tmp_path):
    lines = tell(
        tmp_path,
        """
        def refuse():
            radio.number = 202
            if len(radio.asked) == 3:
                radio.on_connect = Radio().on_connect
                radio.number = 1010

        async def story():
            radio.on_connect = refuse
            await until(lambda: changes)
            print(changes, station.rssi())
        """,
    )
    assert lines == ["wifi-failed the password is wrong", "wifi-up joined", "[True] -61"]


def test_an_error_of_the_radio_does_not_end_the_supervisor(tmp_path):
    lines = tell(
        tmp_path,
        """
        def fail():
            if len(radio.asked) == 2:
                raise OSError("Wifi Internal State Error")
            radio.number = 1010

        async def story():
            radio.on_connect = fail
            await station.wait_up()
        """,
    )
    assert lines == ["wifi-failed Wifi Internal State Error", "wifi-up joined"]
