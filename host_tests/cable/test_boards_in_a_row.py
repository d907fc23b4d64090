"""Boards brought from the files of the bridge's machine, on a computer without a store, one after the other.

The boards are the real MicroPython with the whole firmware, the command is a process, and the bridge is a real one.
"""

import asyncio
import csv
import json
import os
import shutil

import pytest
from attack_lab.scenery.waiting import until
from cable.board_row import AnsweredCommand, BoardRow
from cable.bridge_site import HERE, WIFI, texts_of
from cable.conftest import BOARD
from device_cable.brought import READY, Brought
from device_cable.problem import CableProblem
from device_cable.settings_files import find_files
from phoneterm_bridge.cli import terminal_app, user_app
from typer.testing import CliRunner

OTHER_CHIP = "esp32|1.29.0|Generic ESP32S3 module with ESP32S3"
STAFF = """user,multi_user_aware,extension,terminal,classes
anna,yes,109,t109,internal
bert,yes,110,t110,internal national
carl,yes,111,t111,internal
dora,yes,112,t112,none
"""


class Workshop:
    """A computer without a store, with the files of STAFF's terminals, a box of boards, and a bridge elsewhere."""

    def __init__(self, site, row):
        self.site, self.row = site, row
        self.folder = site.bench.folder / "laptop"
        self.settings = self.folder / "settings"
        self.folder.mkdir()

    def on_the_server(self, app, *options):
        """Run a command on the machine of the bridge."""
        options = (*options, "--config", str(self.site.config), "--mqtt-host", HERE)
        result = CliRunner().invoke(app, [*options, "--set", f"broker.port={self.site.bridge.broker_port}"])
        assert result.exit_code == 0, result.output

    def provision(self, *options, path=None):
        """Begin to provision boards here."""
        options = ("--settings", str(path or self.settings), "--port", self.row.port, *options)
        named = ("--board", BOARD, "--boards", str(self.site.bench.boards))
        return AnsweredCommand("device", "provision", *options, *named, environment=WIFI, folder=self.folder)

    def table(self):
        """Return what is noted beside the files: terminal, MAC and state."""
        with (self.settings / "brought.csv").open() as file:
            return [(line["terminal"], line["mac"], line["state"]) for line in csv.DictReader(file)]


@pytest.fixture
async def workshop(site, flashed):
    await site.start()
    site.bench.put_in(flashed)
    row = BoardRow(site.bench.folder / "row", site.bench.folder / "flash.img")
    workshop = Workshop(site, row)
    (workshop.folder / "staff.csv").write_text(STAFF)
    staff = str(workshop.folder / "staff.csv")
    await asyncio.to_thread(workshop.on_the_server, user_app, "import", staff, "-o", str(workshop.settings))
    yield workshop
    await asyncio.to_thread(row.close)


def begin_with_mistakes(workshop):
    """Bring two terminals, with every mistake between them, and stop before the third."""
    row = workshop.row
    with workshop.provision() as command:
        assert "4 terminals in" in command.hear("Plug in the board for t109 (extension 109), then press Enter")
        row.plug_in()
        command.answer()
        command.hear("The terminal is ready: its bridge and the PBX are there.")
        command.hear("| MAC 02:00:5E:00:00:01 |")
        command.hear("board for t110 (extension 110)")
        command.answer()  # the first board is still there
        command.hear("is the terminal 't109' already: plug in the one that is to be t110")
        command.hear("board for t110")
        row.plug_in(uname=OTHER_CHIP)
        command.answer()
        command.hear("has another chip")
        command.hear("board for t110")
        row.plug_in().unplug_at = b"set_blob"
        command.answer()
        command.hear("does not answer any more")
        command.hear("board for t110")
        row.unplug()
        command.answer()
        command.hear("There is no serial port")
        command.hear("board for t110")
        row.plug_in()
        command.answer()
        command.hear("| MAC 02:00:5E:00:00:04 |")
        command.hear("board for t111")
        command.answer("q")
        exit_code, rest = command.end()
        assert exit_code == 1
        assert "2 of 4 terminals are ready on their boards." in rest
        assert "Still to come, with the same command: t111, t112." in rest


def go_on(workshop):
    """Bring the two that are left."""
    with workshop.provision() as command:
        for number, tid in ((5, "t111"), (6, "t112")):
            assert "t109" not in command.hear(f"board for {tid}")
            workshop.row.plug_in()
            command.answer()
            command.hear(f"| MAC 02:00:5E:00:00:0{number} |")
        assert command.end()[0] == 0


async def test_boards_become_terminals_one_after_the_other_and_go_on_after_mistakes(workshop):
    await asyncio.to_thread(begin_with_mistakes, workshop)
    await asyncio.to_thread(go_on, workshop)
    sessions = workshop.site.bridge.parts.sessions
    await until(lambda: all(sessions.live(tid) for tid in ("t109", "t110", "t111", "t112")))
    assert workshop.site.record("t110").classes == ("internal", "national")  # its row's rights
    assert workshop.site.record("t112").classes == ()
    ready = [line for line in workshop.table() if line[2] == "ready"]
    assert [line[0] for line in ready] == ["t109", "t110", "t111", "t112"]
    assert ready[1][1] == "02:00:5E:00:00:04"
    assert not (workshop.folder / "state").exists()
    with workshop.provision() as command:
        exit_code, said = await asyncio.to_thread(command.end)
    assert (exit_code, "4 of 4 terminals are ready" in said) == (0, True)


def bring_one(workshop, path, *options):
    with workshop.provision(*options, path=path) as command:
        return command.end()


async def test_a_terminal_goes_to_another_board_only_with_new_settings_or_when_that_is_said(workshop):
    path = workshop.settings / "t109.json"
    first = workshop.row.plug_in()
    assert (await asyncio.to_thread(bring_one, workshop, path))[0] == 0
    second = workshop.row.plug_in()
    exit_code, said = await asyncio.to_thread(bring_one, workshop, path)
    assert exit_code == 1
    assert "t109 is on the board 02:00:5E:00:00:01 since 20" in said
    assert texts_of(second) == {}
    path.unlink()
    await asyncio.to_thread(workshop.on_the_server, terminal_app, "rotate", "t109", "-o", str(workshop.settings))
    assert (await asyncio.to_thread(bring_one, workshop, path))[0] == 0
    assert texts_of(second)["mac_key"] == json.loads(path.read_text())["mac_key"] != texts_of(first)["mac_key"]


async def test_a_terminal_that_does_not_become_ready_is_no_success_and_is_asked_for_again(workshop):
    await workshop.site.bridge.stop()
    workshop.site.bridge = None
    workshop.row.plug_in()
    exit_code, said = await asyncio.to_thread(bring_one, workshop, workshop.settings / "t109.json", "--wait", "3")
    assert exit_code == 1
    assert "The terminal runs, but was not ready after 3 s" in said
    assert [line[2] for line in workshop.table()] == ["written"]


def leave_at_the_question(workshop):
    with workshop.provision() as command:
        command.hear("Plug in the board for t109")
        command.answer("s")
        return command.end()


async def test_whoever_leaves_at_a_question_is_told_what_is_still_to_come(workshop):
    exit_code, said = await asyncio.to_thread(leave_at_the_question, workshop)
    assert exit_code == 130
    assert "Still to come, with the same command: t109, t110, t111, t112." in said


async def test_files_that_cannot_be_used_are_named_and_the_others_are_brought(workshop):
    for tid in ("t110", "t111", "t112"):
        (workshop.settings / f"{tid}.json").unlink()
    (workshop.settings / "t1.json").write_text("{}")
    (workshop.settings / "t1.json").chmod(0o600)
    shutil.copyfile(workshop.settings / "t109.json", workshop.settings / "t2.json")
    (workshop.settings / "t2.json").chmod(0o644)
    old = json.loads((workshop.settings / "t109.json").read_text())
    changes = {
        "t3": {"version": 7}, "t4": {"mqtt_host": "127.0.0.1"}, "t5": {"mqtt_port": "x"}, "t7": {"colour": "red"},
        "t8": {"base": "\ud800"}, "t9": {"extension": "1\n2"}, "t10": {"mqtt_host": "broker..example"},
        "t11": {"tid": "t11"}, "t12": {"tid": "t11"}, "t13": {"tls": "ca", "tls_ca_path": "ca.der", "ca": "AAAA"},
        ".t14": {"version": 7},
    }  # fmt: skip
    for name, change in changes.items():
        (workshop.settings / f"{name}.json").write_text(json.dumps(old | change))
        (workshop.settings / f"{name}.json").chmod(0o600)
    os.mkfifo(workshop.settings / "t6.json", 0o600)  # to which nobody ever writes
    with workshop.provision("--dry-run") as command:
        exit_code, said = await asyncio.to_thread(command.end)
    assert exit_code == 1
    for name, words in (
        ("t1", "it has no terminal in it"), ("t2", "can be read by others"), ("t3", "its version is '7'"),
        ("t4", "For a board, 127.0.0.1 is no broker's address"), ("t5", "mqtt_port must be a number"),
        ("t6", "is no file, so it has no settings"), ("t7", "No terminal has the setting 'colour'"),
        ("t8", "characters that cannot be printed"), ("t9", "the extension in it is none"),
        ("t10", "broker..example is no broker's address"), ("t11", "t12.json are all for t11: keep the one"),
        ("t13", "is no certificate. That is so in the file: have the file made anew on the bridge's machine"),
    ):  # fmt: skip
        assert any(f"{name}.json" in line and words in line for line in said.splitlines()), (name, said)
    assert "broker.certificate_path" not in said  # no setting of this computer
    assert "t14" not in said
    assert "To the board of t11 " not in said
    assert "To the board of t109 (extension 109) goes: " in said
    assert old["mac_key"] not in said
    assert WIFI["PHONETERM_WIFI_PASSWORD"] not in said


def test_a_line_of_the_table_that_was_cut_off_counts_for_nothing(tmp_path):
    brought = Brought(tmp_path)
    for tid in ("t1", "t2"):
        brought.add(tid, "1", "02:00:5E:00:00:01", BOARD, READY, "aa")
    brought.close()
    whole = (tmp_path / "brought.csv").read_bytes()
    (tmp_path / "brought.csv").write_bytes(whole[:-12])
    again = Brought(tmp_path)
    assert (again.find("t1", "aa").state, again.find("t2", "aa"), again.find("t1", "bb")) == (READY, None, None)
    again.add("t2", "1", "02:00:5E:00:00:02", BOARD, READY, "aa")
    with pytest.raises(CableProblem, match="Another command is bringing terminals from"):
        Brought(tmp_path)
    again.close()
    assert Brought(tmp_path).find("t2", "aa").mac == "02:00:5E:00:00:02"


def test_the_files_of_a_folder_come_in_the_order_of_their_numbers(tmp_path):
    for name in ("t10", "t9", "t101", "a2"):
        (tmp_path / f"{name}.json").write_text("")
    assert [path.stem for path in find_files(tmp_path)] == ["a2", "t9", "t10", "t101"]
