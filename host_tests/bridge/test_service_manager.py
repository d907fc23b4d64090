"""Messages to systemd on a real datagram socket: ready, the watchdog only while all is well, stopping; and the unit."""

import asyncio
import configparser
import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import phoneterm_bridge
import pytest
from bridge.running_bridge import RunningBridge
from phoneterm_bridge.health import health as health_module
from phoneterm_bridge.health.health import Health
from phoneterm_bridge.settings.place import SYSTEM, SYSTEM_STORE, variables_beside
from phoneterm_bridge.systemd.service_manager import ServiceManager
from phoneterm_bridge.systemd.watchdog import keep_telling
from phoneterm_bridge.terminals.troubles import Troubles
from phoneterm_service.places import CURRENT, DATA, SETTINGS, USER, VARIABLES

_UNIT = Path(phoneterm_bridge.__file__).parent / "systemd" / "phoneterm-bridge.service"


class Manager:
    """The receiving end of NOTIFY_SOCKET."""

    def __init__(self, name):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + name[1:] if name.startswith("@") else name)
        self._socket.setblocking(False)
        self.environment = {"NOTIFY_SOCKET": name}

    def close(self):
        self._socket.close()

    def heard(self):
        """Return all received datagrams, each as a dict."""
        found = []
        while True:
            try:
                text = self._socket.recv(4096).decode()
            except BlockingIOError:
                return found
            found.append(dict(line.split("=", 1) for line in text.splitlines()))

    async def until(self, name, value):
        """Return all datagrams up to the one with this content."""
        found = []
        async with asyncio.timeout(30):
            while not any(words.get(name) == value for words in found):
                found += self.heard()
                await asyncio.sleep(0.01)
        return found


@pytest.fixture(params=["a path", "an abstract name"])
def manager(request):
    with tempfile.TemporaryDirectory() as folder:
        manager = Manager(f"@phoneterm-{os.getpid()}" if request.param == "an abstract name" else f"{folder}/notify")
        yield manager
        manager.close()


def test_what_is_said_is_one_datagram_with_a_line_for_each_word(manager):
    ServiceManager(manager.environment).say(READY=1, STATUS="two\nlines")
    assert manager.heard() == [{"READY": "1", "STATUS": "two lines"}]


@pytest.mark.parametrize("name", ["", "@", "relative", "/nobody/listens/here"])
def test_without_systemd_nothing_is_said_and_nothing_fails(name):
    manager = ServiceManager({"NOTIFY_SOCKET": name} if name else {})
    assert manager.is_there is name.startswith("/")
    manager.say(READY=1)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_the_watchdogs_time_is_that_of_this_process(environment, expected):
    assert ServiceManager(environment).watchdog_s == expected


class _Pbx:
    is_available = True
    is_login_refused = False
    trouble = None


class _Clock:
    """Monotonic seconds, plus as many as the test adds."""

    later_s = 0

    def __call__(self):
        return time.monotonic() + self.later_s


class _Pulse:
    is_heard = True
    deaf_since_s = None

    def on_link(self, is_up):
        pass


@pytest.fixture
def pbx():
    """The bridge's PBX."""
    return _Pbx()


@pytest.fixture
async def watched(tmp_path, manager, pbx):
    """A bridge's health, reported to systemd, with a watchdog."""
    health = Health(pbx, _Pulse(), Troubles(None), _Clock())
    health.on_link(True)
    telling = asyncio.create_task(
        keep_telling(ServiceManager(manager.environment | {"WATCHDOG_USEC": "60000"}), health)
    )
    yield health
    telling.cancel()


async def words_after(manager, change):
    """Return the message after a change: the second datagram after it."""
    await manager.until("STATUS", "Ready.")
    manager.heard()
    change()
    found = []
    async with asyncio.timeout(30):
        while len(found) < 3:
            found += manager.heard()
            await asyncio.sleep(0.005)
    return found[-1]


async def test_the_watchdog_is_fed_while_all_is_well(watched, manager):
    assert await words_after(manager, lambda: None) == {"STATUS": "Ready.", "WATCHDOG": "1"}


async def test_a_broker_or_pbx_that_is_away_is_told_and_waited_for(watched, manager, pbx):
    def lose():
        watched.on_link(False)
        pbx.is_available = False

    words = await words_after(manager, lose)
    assert words["WATCHDOG"] == "1"
    assert words["STATUS"].startswith("There is no connection to the MQTT broker")
    assert "The PBX is away" in words["STATUS"]


async def test_what_is_wrong_with_terminals_is_told_and_the_watchdog_is_fed(watched, manager):
    def be_short():
        watched.troubles.begin("t101", "config", "the memory is too short to read it")

    status = "Ready. The terminal t101 has not taken its configuration."
    assert await words_after(manager, be_short) == {"STATUS": status, "WATCHDOG": "1"}


async def test_a_link_that_stays_deaf_starves_the_watchdog(watched, manager):
    def deafen():
        watched.pulse.is_heard = False
        watched.pulse.deaf_since_s = health_module.time.monotonic() - 31

    words = await words_after(manager, deafen)
    assert "WATCHDOG" not in words
    assert "has come back" in words["STATUS"]


async def test_a_store_that_stays_unreadable_starves_the_watchdog(watched, manager):
    def age():
        watched.now_s.later_s += 31

    assert "WATCHDOG" not in await words_after(manager, age)


async def test_the_real_process_says_ready_lives_and_says_that_it_stops(tmp_path, manager):
    environment = manager.environment | {"WATCHDOG_USEC": "300000"}
    settings = (f"store.path={tmp_path / 'b.db'}", "pbx.port=9")
    async with RunningBridge(*settings, environment=environment) as bridge:
        first = await manager.until("READY", "1")
        assert first[0] == {"READY": "1"}
        lives = first[1:] + await manager.until("STATUS", "The PBX is away: there is no connection to it.")
        assert lives[-1]["WATCHDOG"] == "1"
        bridge.signal(signal.SIGTERM)
        last = await manager.until("STOPPING", "1")
        assert await bridge.exit_code() == 0
    assert all(words.get("READY") is None for words in lives + last)


@pytest.fixture
def checked_unit(need_part, tmp_path):
    """systemd-analyze and a copy of the unit whose program exists in systemd-analyze's file system."""
    analyze = need_part("systemd-analyze")
    folder = analyze.make_folder()
    unit = folder / _UNIT.name
    unit.write_text(_UNIT.read_text().replace("/opt/phoneterm/current/bin/phoneterm", "/bin/true"))
    yield lambda *words: subprocess.run(
        [*analyze.argv, *words, analyze.inside(unit)], capture_output=True, text=True, timeout=60, check=False
    )
    unit.unlink()
    folder.rmdir()


def test_systemd_finds_nothing_wrong_with_the_unit(checked_unit):
    checked = checked_unit("verify", "--man=no")
    said = [line for line in (checked.stdout + checked.stderr).splitlines() if _UNIT.name in line]
    assert (checked.returncode, said) == (0, [])


def test_systemd_rates_the_sandbox_as_good(checked_unit):
    rated = checked_unit("security", "--offline=true", "--threshold=20", "--no-pager")
    assert rated.returncode == 0, rated.stdout[-2000:] + rated.stderr


def test_the_unit_has_what_the_bridge_counts_on():
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read(_UNIT)
    service = parser["Service"]
    assert (service["Type"], service["Restart"], service["User"]) == ("notify", "on-failure", USER)
    assert "Environment" not in service  # a setting in it would hide an edit of the file, and no other command saw it
    assert "EnvironmentFile" not in service  # the bridge reads that file by itself, as every other command does
    assert service["ExecStart"] == f"{CURRENT}/bin/phoneterm bridge run --config {SYSTEM}"
    assert (SYSTEM, variables_beside(SYSTEM), SYSTEM_STORE.parent) == (SETTINGS, VARIABLES, DATA)
    assert Path("/var/lib") / service["StateDirectory"] == SYSTEM_STORE.parent
    assert service["ExecReload"] == '/bin/sh -c "kill -HUP ${MAINPID}"'  # renews the certificate
    assert int(service["WatchdogSec"]) > 3 * 5  # the longest pause of keep_telling between two feeds
    assert service["ProtectSystem"] == "strict"
    assert service["NoNewPrivileges"] == "yes"
