"""The smoke test without a board: the scripts run on the MicroPython behind the cable, and a program presses keys.

Its figures for pins, radio and TLS are this computer's; only those of a real board mean something.
"""

import asyncio
import json
import threading
import time
from pathlib import Path

import pytest
from cable.bridge_site import Site, texts_of
from device_cable.cable import Cable
from device_cable.files import list_files
from device_cable.smoke import Findings, measure_figures, try_keys
from phoneterm import VERSION
from virtual_phone.wiring import read_wiring

_HOLD_S = 0.25


class Finger:
    """Presses the key that the board waits for, or the one in `instead` ("" presses nothing)."""

    def __init__(self, board, wiring, instead=None):
        self._board, self._wiring, self._instead = board, wiring, instead or {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._press_all)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()

    def _press_all(self):
        for index, legend in enumerate(self._wiring.legends):
            while self._board.sent.count(b"\x01await_key(") <= index:
                if self._is_over.wait(0.01):
                    return
            for pressed in self._instead.get(legend, legend):
                row, column = self._wiring.position(pressed)
                self._board.press(row, column, True)
                time.sleep(_HOLD_S)
                self._board.press(row, column, False)


@pytest.fixture
def board(bench, flashed, plug_in):
    """A board with the whole firmware and a keypad."""
    bench.put_in(flashed)
    wiring = read_wiring(bench.boards / "BENCH")
    board = plug_in(pins=wiring.pins)
    board.wiring = wiring
    return board


def saved(bench):
    """Return the one result that was saved."""
    (path,) = (bench.folder / "build/smoke").glob("*.json")
    return json.loads(path.read_text()), path.with_suffix(".txt").read_text()


def assert_nothing_of(settings, bench):
    """The saved files must contain no setting, except those that reveal nothing."""
    document, text = saved(bench)
    told = {value for key, value in settings.items() if key not in ("tls", "allow_plain", "base", "mqtt_port")}
    assert {settings[key] for key in ("wifi_ssid", "wifi_password", "mqtt_password", "mac_key", "mqtt_host")} <= told
    assert not [value for value in told if value in text or value in json.dumps(document)]


def test_a_folder_that_cannot_be_written_is_told_before_anybody_presses_a_key(bench, plug_in):
    board = plug_in()
    (bench.folder / "file").touch()
    printed = bench.run("smoke", "--to", "file/results", exit_code=1)
    assert printed == "The results cannot be saved in file/results: Not a directory.\n"
    assert bytes(board.sent) == b""


def test_every_key_is_asked_for_and_the_table_is_printed_and_saved(bench, board):
    with Finger(board, board.wiring):
        printed = bench.run("smoke", exit_code=1)  # it has no settings, so there is no network to measure
    assert [line for line in printed.splitlines() if line.startswith("Press ")] == [
        f"Press {legend} and let it go." for legend in board.wiring.legends
    ]
    document, text = saved(bench)
    assert document["keys"] == dict.fromkeys(board.wiring.legends, "ok")
    assert "16 of 16 tried" in text
    assert text in printed
    figures = document["figures"]
    assert figures["look_garbage_bytes"]["value"] == figures["display_garbage_bytes"]["value"] == 0
    assert {"heap_used_empty_bytes", "heap_used_loaded_bytes", "load_ms", "loop_ms", "wait_median_us", "flash_write_ms",
            "frequency_mhz", "probe_us", "scan_us", "rows_low"} <= set(figures)  # fmt: skip
    assert figures["probe_us"]["expected"] == "emulated: 107; must stay below 2000"
    assert document["facts"] == {
        "firmware": VERSION, "reset_cause": "power on", "firmware_is": "copied files", "psram": "no",
    }  # fmt: skip
    assert "Please send it in: open an issue in the project, say which board it is, and attach the .json." in printed
    with Cable(bench.port) as cable:
        cable.enter()
        assert "smoke.tmp" not in list_files(cable)
    assert document["problems"] == ["The setting wifi_ssid is missing: provision this terminal."]


def test_keys_that_come_wrong_or_not_at_all_are_named(bench, board):
    with Finger(board, board.wiring, {"1": "4", "3": ""}):
        bench.run("smoke", "--key-wait", "2", exit_code=1)
    keys = saved(bench)[0]["keys"]
    assert (keys["1"], keys["2"], keys["3"], keys["A"]) == ("came as 4", "ok", "not pressed", "ok")


def test_a_key_that_is_pressed_before_the_board_looks_for_it_counts(bench, board):
    findings = Findings()
    with Cable(bench.port) as cable:
        cable.enter()
        legends = measure_figures(cable, findings)
        board.press(*board.wiring.position(legends[0]), True)
        with Finger(board, board.wiring):  # lets it go
            try_keys(cable, legends[0], 15, findings, lambda _: None)
    assert findings.keys == {legends[0]: "ok"}


def test_a_key_that_bounces_is_named():
    class BouncyBoard:
        def keep_awake(self):
            pass

        def run(self, *_):
            return "0 2\n"

    findings = Findings()
    try_keys(BouncyBoard(), "1", 1, findings, lambda _: None)
    assert findings.keys == {"1": "came 2 times"}
    assert not findings.is_good


async def test_network_times_are_measured_with_the_settings_on_the_board(bench, board):
    site = Site(bench)
    await site.start()
    await asyncio.to_thread(site.provision)
    await asyncio.to_thread(bench.run, "smoke", "--no-keys")
    await site.stop()
    document, text = saved(bench)
    assert {"wifi_ms", "connect_ms", "rssi_dbm"} <= set(document["figures"])
    assert "tls_ms" not in document["figures"]  # this broker has no TLS
    assert "not measured" in text
    assert_nothing_of(texts_of(board), bench)


@pytest.mark.lasts(15)
async def test_a_network_that_cannot_be_joined_is_told_without_its_name(bench, board, plug_in):
    site = Site(bench)
    await asyncio.to_thread(site.provision, "--wait", "0")
    await site.stop()
    board.join_wifi = lambda: None
    await asyncio.to_thread(bench.run, "smoke", "--no-keys", exit_code=1)
    assert [problem[:8] for problem in saved(bench)[0]["problems"]] == ["no Wi-Fi"]
    assert_nothing_of(texts_of(board), bench)


def test_a_board_without_the_firmware_is_one_sentence(bench, plug_in):
    plug_in()
    printed = bench.run("smoke", "--no-keys", exit_code=1)
    assert printed == (
        "The board refused (ImportError: no module named 'phoneterm'). Is the firmware on the board? make flash "
        "BOARD= PORT= brings it.\n"
    )
    assert not Path("build/smoke").exists()
