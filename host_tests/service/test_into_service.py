"""The whole way into service, by the commands of the pages: from a bare server and a box of boards to thirty terminals.

The server is a Debian that systemd has booted, with wheels and nothing of the checkout. The boards are the real
MicroPython with the whole firmware, flashed as one and copied, and reach the server by its name and with TLS. The PBX
is the simulated one. Two versions are needed, and only this one has the commands of these pages: it is installed first,
and upgraded to the same code with a higher number and one more migration of the store. `test_version_before` upgrades
an earlier one.
"""

import json
import re
import time

import pytest
from bridge.later_version import SCHEMA
from phoneterm import VERSION
from phoneterm_bridge.store.schema import known_schemas
from service.network import joined
from service.office import Office
from service.pages import Pages
from service.wheels import LATER
from service.workshop import BOARD, Workshop

# Thirty terminals go on working meanwhile, on a machine that may be busy.
pytestmark = [pytest.mark.timeout(1200), pytest.mark.lasts(150)]

_BRIDGE, _BUILD = "tools/phoneterm_bridge/README.md", "boards/build_guide.md"
_HERE = "broker.test"  # the server, as the boards see it (host_tests/cable/vm_modules/socket.py)
_COLLEAGUE = "102"
_READY_S = 100
_FIRST, _LAST = 120, 149  # the extensions of those who get a terminal
_NUMBERS = [str(number) for number in range(_FIRST, _LAST + 1)]
_HEAD = "user,multi_user_aware,extension,type,terminal,operations,classes,allow"
# Wrong lines by their extension, and what is said of each.
_MISTAKES = {
    "121": ("user 121,yes,121,,t121,,internal,", "column user: the user name has 1 to 64 letters"),
    "122": ("user122,perhaps,122,,t122,,internal,", "column multi_user_aware: 'perhaps' is neither yes nor no"),
    "123": ("user123,yes,12x,,t123,,internal,", "column extension: an extension's number has digits"),
    "124": ("user124,yes,120,,t124,,internal,", "column user: extension '120' already has 'user120'"),
    "125": (
        "user125,yes,125,queue,t125,,internal,",
        "column type: an extension of type 'queue' cannot have a terminal",
    ),
    "126": ("user126,yes,126,,T126,,internal,", "column terminal: a terminal's id has"),
    "127": ("user127,yes,127,,t127,swap,internal,", "column operations: an operation that can be allowed is"),
    "128": ("user128,yes,128,,t128,,intrenal,", "column classes: there is no class intrenal"),
    "129": ("user129,yes,129,,t129,,internal,0x", "column allow: a prefix has 1 to 32 digits and stars"),
}


@pytest.fixture
def server(boot_up, wheel, later_wheel):
    """The server, whose network this test is in."""
    server = boot_up({"/srv/now": wheel.parent, "/srv/later": later_wheel.parent})
    with joined(server.pid):
        yield server


@pytest.fixture
def workshop(server, tmp_path):
    with Workshop(tmp_path / "workshop") as workshop:
        yield workshop


@pytest.fixture
def office(server):
    with Office([*_NUMBERS]) as office:
        yield office


@pytest.fixture
def pages(wheel, later_wheel, workshop):
    """The pages, with what is this site's own in place of their examples."""
    return Pages({
        "broker.example": _HERE,
        "phoneterm-0.1.0-py3-none-any.whl": f"/srv/now/{wheel.name}",
        "phoneterm-0.2.0-py3-none-any.whl": f"/srv/later/{later_wheel.name}",
        "/dev/ttyACM0": workshop.port,
        "101 --at 14:05": _NUMBERS[-1],
        "sudo ": "",
        "make ": "make -o .venv/.ready ",  # set up already
    })  # fmt: skip


class Walk:
    """Somebody who goes the whole way, on the server and in the workshop, and reads the pages."""

    def __init__(self, server, workshop, office, pages):
        self.server, self.workshop, self.office, self._pages = server, workshop, office, pages

    def on_the_server(self, page, heading, command):
        """Run a command of a page as root in its home folder, and return what it printed."""
        return self.server.shell(f"cd /root && {self._pages.find(page, heading, command)}")

    def in_the_workshop(self, page, heading, command, **environment):
        """Begin a command of a page."""
        return self.workshop.begin(self._pages.find(page, heading, command), **environment)

    def write(self, path, change):
        """Edit a file of the server."""
        file = self.server.root / path.lstrip("/")
        file.write_text(change(file.read_text()))

    def install(self):
        """Put the bridge into service, from the wheel."""
        said = self.on_the_server(_BRIDGE, "systemd", "sudo python3 phoneterm-0.1.0-py3-none-any.whl/phoneterm_service")
        assert "Next: change /etc/phoneterm/bridge.toml, put the PBX's secret into /etc/phoneterm/bridge.env" in said

    def set_up(self):
        """Make CA and certificate, write the printed settings and those of the PBX, and do what is said then."""
        said = self.on_the_server(_BRIDGE, "TLS in ten minutes", "phoneterm tls init broker.example 10.0.0.5")
        broker = "".join(re.findall(r"^  (\w+ = .*\n)", said, re.MULTILINE))
        ami = self.office.ami
        pbx = f'host = "{ami.host}"\nport = {ami.port}\n'
        self.write(
            "/etc/phoneterm/bridge.toml",
            lambda text: text.replace("[broker]\n", f"[broker]\n{broker}", 1).replace("[pbx]\n", f"[pbx]\n{pbx}", 1),
        )
        self.write("/etc/phoneterm/bridge.env", lambda text: f"{text}PHONETERM_PBX__SECRET={ami.secret}\n")
        then = re.search(r"^Then: (.*)\.$", said, re.MULTILINE)[1]
        assert then == "systemctl restart phoneterm-bridge; phoneterm doctor"
        self.server.shell(then)

    def enter_users(self):
        """Have all mistakes of a CSV file named at once, mend them, try it, and import it."""
        lines = {number: f"user{number},yes,{number},,t{number},,internal," for number in _NUMBERS}
        wrong = lines | {number: line for number, (line, _) in _MISTAKES.items()}
        staff = self.server.root / "root/staff.csv"
        staff.write_text("\n".join([_HEAD, *wrong.values(), ""]))
        heading = "Users, extensions and terminals as a CSV file"
        command = "phoneterm user import staff.csv --output settings/ --mqtt-host broker.example"
        refused = self.server.try_command("sh", "-c", f"cd /root && {self._pages.find(_BRIDGE, heading, command)}")
        assert refused.returncode == 1
        said = [line for line in refused.stderr.splitlines() if line.startswith("Line ")]
        assert len(said) == len(_MISTAKES), refused.stderr
        for line, (number, (_, sentence)) in zip(said, _MISTAKES.items(), strict=True):
            assert line.startswith(f"Line {int(number) - _FIRST + 2}, {sentence}")

        staff.write_text("\n".join([_HEAD, *lines.values(), ""]))
        count = len(_NUMBERS)
        counted = f"{count} users added, {count} extensions added, {count} terminals enrolled"
        assert f"Would be done: {counted}" in self.on_the_server(_BRIDGE, heading, f"{command} --dry-run")
        assert not (self.server.root / "root/settings").exists()
        assert counted in self.on_the_server(_BRIDGE, heading, command)

    def flash_boards(self):
        """Flash a board; those in the box are like it."""
        self.workshop.plug_in_first()
        command = "make flash BOARD=ESP32_GENERIC_S3 PORT=/dev/ttyACM0"
        with self.in_the_workshop(_BUILD, "Flashing", command) as flashing:
            exit_code, said = flashing.end()
        assert exit_code == 0, said
        self.workshop.fill_box()

    def bring_terminals(self):
        """Take the settings files to the workshop, and bring the terminals to the boards, one after the other."""
        folder = self.workshop.folder / "settings"
        folder.mkdir()
        for file in (self.server.root / "root/settings").iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
            (folder / file.name).chmod(0o600)
        wifi = self.workshop.folder / "wifi.toml"
        wifi.write_text('wifi_ssid = "office"\nwifi_password = "correct horse"\n')
        wifi.chmod(0o600)
        command = "make provision BOARD=ESP32_GENERIC_S3 PORT=/dev/ttyACM0 SETTINGS=settings/ WIFI=wifi.toml"
        with self.in_the_workshop(_BUILD, "Provisioning", command) as provisioning:
            for number in _NUMBERS:
                provisioning.hear(f"Plug in the board for t{number} (extension {number}), then press Enter")
                self.workshop.plug_in(is_keyed=number == _NUMBERS[-1])
                provisioning.answer()
                provisioning.hear("The terminal is ready: its bridge and the PBX are there.")
            exit_code, said = provisioning.end()
        assert exit_code == 0
        assert f"{len(_NUMBERS)} of {len(_NUMBERS)} terminals are ready on their boards." in said

    def wait_until_all_are_ready(self):
        """Wait until the list of terminals has all of them online, without any trouble."""
        command = self._pages.find(_BRIDGE, "Which terminals there are", "phoneterm terminal list") + " --json"
        end = time.monotonic() + _READY_S
        while True:
            found = json.loads(self.server.run("sh", "-c", command))
            left = [one["terminal"] for one in found if not one["is_online"] or one["troubles"]]
            if not left:
                break
            assert time.monotonic() < end, left
        assert [one["extension"] for one in found] == _NUMBERS
        assert {(one["board"], one["firmware"]) for one in found} == {(BOARD, VERSION)}

    def transfer(self):
        """Somebody calls the last terminal's phone, and is sent on by its keys; the journal knows it."""
        board = self.workshop.boards[-1]
        first = len(board.said)
        self.office.call(_NUMBERS[-1])
        board.wait_for(b"call talking", first)
        self.workshop.key_until(board, f"#1{_COLLEAGUE}", lambda: self.office.is_talking_to(_COLLEAGUE))
        self.office.end_calls()
        said = self.on_the_server(_BRIDGE, "Journal", "phoneterm why 101 --at 14:05 --op blind")
        assert re.search(f"{_NUMBERS[-1]} keyed #1 and {_COLLEAGUE}\\. It worked", said), said

    def back_up(self):
        """Make a backup while the bridge runs."""
        said = self.on_the_server(_BRIDGE, "Back-up", "phoneterm backup create /var/backups/phoneterm-1.db")
        assert "The backup is in /var/backups/phoneterm-1.db" in said

    def upgrade(self):
        """Install another version while the bridge runs."""
        before = self.find_process()
        said = self.on_the_server(_BRIDGE, "Upgrade", "sudo python3 phoneterm-0.2.0-py3-none-any.whl/phoneterm_service")
        assert f"has schema {SCHEMA} now. It is kept as it was, with schema {known_schemas()[-1]}" in said
        assert f"Version {LATER} is installed; the service phoneterm-bridge is enabled and runs." in said
        assert before != self.find_process()

    def restore(self):
        """Go back to the backup, which has the first transfer alone."""
        transfers = self.count_transfers()
        for command in (
            "systemctl stop phoneterm-bridge",
            "phoneterm backup restore /var/backups/phoneterm-1.db",
            "systemctl start phoneterm-bridge",
        ):
            self.on_the_server(_BRIDGE, "Back-up", command)
        assert (transfers, self.count_transfers()) == (2, 1)

    def remove(self):
        """Take the service away, and then all that it has left."""
        said = self.on_the_server(
            _BRIDGE, "systemd", "sudo python3 phoneterm-0.1.0-py3-none-any.whl/phoneterm_service --remove"
        )
        assert not (self.server.root / "opt/phoneterm").exists()
        assert (self.server.root / "var/lib/phoneterm/phoneterm.db").exists()
        self.server.shell(said.partition("To remove these for good: ")[2])
        assert (
            self.server.shell("find / -xdev -name '*phoneterm*' -not -path '/srv/*' -not -path '/var/backups/*'") == ""
        )
        assert self.server.run("systemctl", "list-units", "--failed", "--no-legend") == ""

    def find_process(self):
        return self.server.run("systemctl", "show", "-p", "MainPID", "--value", "phoneterm-bridge").strip()

    def count_transfers(self):
        """Not what the phone refused by itself because a key may have been missed: it is keyed again then."""
        commands = json.loads(self.server.run("phoneterm", "journal", "commands", "--json"))
        return sum(command["state"] != "refused" for command in commands)


@pytest.fixture
def walk(server, workshop, office, pages):
    return Walk(server, workshop, office, pages)


def test_a_bare_server_and_a_box_of_boards_become_thirty_phones_on_desks(walk):
    for step in (
        walk.install, walk.set_up, walk.enter_users, walk.flash_boards, walk.bring_terminals,
        walk.wait_until_all_are_ready, walk.transfer, walk.back_up,
        walk.upgrade, walk.wait_until_all_are_ready, walk.transfer,
        walk.restore, walk.wait_until_all_are_ready, walk.remove,
    ):  # fmt: skip
        step()
