"""The Wi-Fi supervisor on the real MicroPython VM, with a radio that does what the story says."""

import os
import subprocess
import textwrap
from pathlib import Path

from virtual_phone import vm

_STORY = """
import asyncio
from phoneterm.device import wifi

class Radio:
    \"\"\"Keeps its last reason until there is an address, and tries by itself once it was told, as the port does.\"\"\"

    def __init__(self):
        self.asked = []
        self.number = 1000
        self.attempt = None

    def active(self, is_active):
        self.asked.append("active")

    def connect(self, ssid, password):
        self.asked.append((ssid, password))
        self.on_connect()

    def disconnect(self):
        if self.attempt:
            self.attempt.cancel()

    def isconnected(self):
        return self.number == 1010

    def status(self, what=None):
        return -61 if what else self.number

    def on_connect(self):
        self.begin(0)

    def begin(self, lasts_ms, number=1010):
        self.attempt = asyncio.create_task(self.end(lasts_ms, number))

    async def end(self, lasts_ms, number):
        await asyncio.sleep_ms(lasts_ms)
        self.number = number

radio = Radio()
changes = []
wifi.RENEW_MS, wifi.REASON_MS, wifi.JOIN_LOOK_MS, wifi.LOOK_MS = 400, 100, 5, 5
station = wifi.Wifi(radio, "lab", "pw", lambda: 0.5, changes.append, print)

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


def test_a_lost_network_is_left_to_the_radio_which_joins_it_again(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            await station.wait_up()
            print(station.rssi())
            radio.begin(100)
            radio.number = 1001
            await until(lambda: len(changes) == 3)
            print(changes, radio.asked)
        """,
    )
    assert lines == ["wifi-up joined", "-61", "wifi-down the network was lost", "wifi-up joined",
                     "[True, False, True] ['active', ('lab', 'pw')]"]  # fmt: skip


def test_an_attempt_is_not_broken_off_for_the_reason_of_the_last_one(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            radio.number = 201
            radio.on_connect = lambda: radio.begin(250)
            await station.wait_up()
            print(radio.asked)
        """,
    )
    assert lines == ["wifi-failed the network was not found", "wifi-up joined", "['active', ('lab', 'pw')]"]


def test_a_reason_that_is_over_before_its_time_is_not_told(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            radio.number = 201
            radio.on_connect = lambda: radio.begin(20)
            wifi.REASON_MS = 5000
            await station.wait_up()
        """,
    )
    assert lines == ["wifi-up joined"]


def test_a_wrong_password_is_told_once_and_tried_again_by_the_radio(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            radio.on_connect = lambda: radio.begin(20, 202)
            await until(lambda: len(radio.asked) == 3)
            radio.on_connect = lambda: radio.begin(20)
            await until(lambda: changes)
            print(changes, station.rssi(), len(radio.asked))
        """,
    )
    assert lines == ["wifi-failed the password is wrong", "wifi-up joined", "[True] -61 4"]


def test_a_radio_that_says_nothing_is_told_anew_and_the_user_asked_to_look(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            radio.on_connect = lambda: None
            radio.number = 1001
            await until(lambda: len(radio.asked) == 3)
            radio.on_connect = lambda: radio.begin(0)
            await station.wait_up()
        """,
    )
    assert lines == ["wifi-failed no address: a wrong password, or a weak signal?", "wifi-up joined"]


def test_an_error_of_the_radio_does_not_end_the_supervisor(tmp_path):
    lines = tell(
        tmp_path,
        """
        def fail():
            radio.on_connect = lambda: radio.begin(0)
            raise OSError("Wifi Internal State Error")

        async def story():
            radio.on_connect = fail
            await station.wait_up()
        """,
    )
    assert lines == ["wifi-failed Wifi Internal State Error", "wifi-up joined"]
