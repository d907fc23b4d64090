"""The version before there was a program that installs it, taken from the history, is upgraded while it runs.

It was put into service by hand, with its own unit, and its store has its schema; the terminal has the firmware of now.
Where the history is not there, as in a checkout of one commit, nothing is tried, and the end of the run says so.
"""

import json
import subprocess

import pytest
from phoneterm_bridge.store.schema import known_schemas
from service import wheels
from service.network import joined
from service.office import Office
from service.pages import Pages
from service.workshop import BOARD, Workshop

pytestmark = [pytest.mark.timeout(1200), pytest.mark.lasts(60)]

_BEFORE = "f59b082"  # the last commit without a program that installs it
_NUMBER, _COLLEAGUE = "120", "102"
_BY_HAND = """
python3 -m venv /opt/phoneterm
/opt/phoneterm/bin/pip install --quiet --no-deps /srv/packages/*.whl /srv/before/*.whl
install -d /etc/phoneterm && cd /etc/phoneterm
install -m 0644 /srv/checkout/tools/phoneterm_bridge/systemd/*.service /etc/systemd/system/
systemctl daemon-reload
systemctl enable --now phoneterm-bridge
"""
_ENROL = """
export PHONETERM_STORE__PATH=/var/lib/private/phoneterm/phoneterm.db
cd /etc/phoneterm
/opt/phoneterm/bin/phoneterm user add anna --extension 120 --aware >&2
/opt/phoneterm/bin/phoneterm terminal add --extension 120 --tid t120 --config bridge.toml
"""


@pytest.fixture
def before(tmp_path, note):
    """The folders of that version's wheel and checkout, by where the server sees them; None without the history."""
    folders = {f"/srv/{name}": tmp_path / name for name in ("before", "checkout")}
    for folder in folders.values():
        folder.mkdir()
    try:
        wheels.build_commit(_BEFORE, *folders.values())
    except subprocess.CalledProcessError:
        note(f"The history of this checkout does not have {_BEFORE}: its upgrade was not tried.")
        return None
    return folders


def test_the_version_before_is_upgraded_while_it_runs_and_its_terminal_transfers_on(boot_up, wheel, before, tmp_path):
    if before is None:
        return
    server = boot_up({"/srv/now": wheel.parent, **before})
    pages = Pages({"phoneterm-0.2.0-py3-none-any.whl": f"/srv/now/{wheel.name}", "sudo ": ""})
    with joined(server.pid), Office([_NUMBER]) as office, Workshop(tmp_path / "workshop") as workshop:
        settings = put_into_service(server, office)
        board = make_terminal(workshop, settings)
        transfer(office, workshop, board)
        first = len(board.said)
        command = "sudo python3 phoneterm-0.2.0-py3-none-any.whl/phoneterm_service"
        said = server.shell(pages.find("tools/phoneterm_bridge/README.md", "Upgrade", command))
        assert f"has schema {known_schemas()[-1]} now. It is kept as it was, with schema 0008" in said
        board.wait_for(b"ready for keys", first)
        transfer(office, workshop, board)
        commands = json.loads(server.run("phoneterm", "journal", "commands", "--json"))
        # Without what the phone refused by itself because a key may have been missed: it is keyed again then.
        assert sum(command["state"] != "refused" for command in commands) == 2


def put_into_service(server, office):
    """Put that version into service by hand, and return the settings of its terminal."""
    folder = server.root / "etc/phoneterm"
    folder.mkdir()
    (folder / "bridge.toml").write_text(f'[pbx]\nhost = "{office.ami.host}"\nport = {office.ami.port}\n')
    (folder / "bridge.env").write_text(f"PHONETERM_PBX__SECRET={office.ami.secret}\n")
    server.shell(_BY_HAND)
    return json.loads(server.shell(_ENROL))


def make_terminal(workshop, settings):
    """Return a board with these settings, once it is ready."""
    workshop.plug_in_first()
    with workshop.begin(f"make -o .venv/.ready flash BOARD={BOARD} PORT={workshop.port}") as flashing:
        assert flashing.end()[0] == 0
    workshop.fill_box()
    board = workshop.plug_in(settings=settings | {"wifi_ssid": "office"})
    board.wait_for(b"ready for keys")
    return board


def transfer(office, workshop, board):
    """The terminal's user is called, and sends the caller on by keys."""
    first = len(board.said)
    office.call(_NUMBER)
    board.wait_for(b"call talking", first)
    workshop.key_until(board, f"#1{_COLLEAGUE}", lambda: office.is_talking_to(_COLLEAGUE))
    office.end_calls()
