"""A board's memory: TLS beside copied files is refused where it cannot work, before anything is changed."""

import asyncio
import shutil

import pytest
from cable.bridge_site import HERE, texts_of
from cable.conftest import SMALL
from cable.serial_board import ESP32, WITH_PSRAM
from cable.test_flash import on_board
from device_cable.board import OLDEST_WITH_SHARED_KEY, Board
from device_cable.image import parse_version
from device_cable.memory import check_memory
from device_cable.problem import CableProblem
from firmware_build.micropython_image import MICROPYTHON_TAG
from firmware_build.romfs import make_romfs
from firmware_build.sizes import compile_all

C3 = "ESP32C3 module with ESP32C3"
S3 = "Generic ESP32S3 module with ESP32S3"
ESP = "Generic ESP32 module with ESP32"
TLS = {"tid": "phone-101", "tls": "ca"}


@pytest.mark.parametrize("tls", ["ca", "psk"])
@pytest.mark.parametrize("machine", [ESP, C3])
def test_tls_beside_copied_files_is_refused_on_a_small_chip(machine, tls):
    with pytest.raises(CableProblem, match=rf"A terminal with TLS \(tls = {tls}\) does not fit into the memory"):
        check_memory(Board("esp32", (1, 28, 0), machine), "X", tls)


def test_a_setting_that_no_firmware_knows_is_told_as_that_and_not_as_want_of_memory():
    for machine in (ESP, S3):
        with pytest.raises(CableProblem, match=r"say tls = banana, which is none of off, ca and psk: make wipe"):
            check_memory(Board("esp32", (1, 28, 0), machine), "X", "banana")


@pytest.mark.parametrize(
    ("board", "tls"),
    [
        (Board("esp32", (1, 28, 0), ESP), "off"),
        (Board("esp32", (1, 28, 0), ESP), None),
        (Board("esp32", (1, 28, 0), ESP, has_psram=True), "ca"),
        (Board("esp32", (1, 28, 0), ESP, frozen_version="1.0"), "ca"),
        (Board("esp32", (1, 28, 0), S3), "ca"),
    ],
)
def test_what_works_is_not_refused(board, tls):
    check_memory(board, "X", tls)


@pytest.fixture
def frozen(bench):
    """The small terminal as modules built into MicroPython, version 1.0."""
    source, compiled = bench.folder / "source", bench.folder / "frozen"
    shutil.rmtree(source, ignore_errors=True)
    for name, content in SMALL.items():
        if name.startswith("phoneterm/"):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(content or b"VERSION = '1.0'\n")
    compile_all(source, compiled)
    return make_romfs(compiled)


def test_a_terminal_with_tls_gets_no_files_that_leave_it_too_little(bench, plug_in):
    plug_in(settings=TLS)
    bench.write_image()
    printed = bench.run("flash", exit_code=1)
    assert f"(tls = ca) does not fit into the memory of this board ({ESP}) beside a firmware of copied files" in printed
    assert "make image BOARD=BENCH; make flash BOARD=BENCH IMAGE=build/image/BENCH.bin" in printed
    assert "an ESP32-S3 or with PSRAM" in printed
    assert "without TLS in a network of its own" in printed
    assert on_board(bench.port) == {}


@pytest.mark.parametrize("settings", [TLS | {"tls": "off"}, {}], ids=["without TLS", "not set up"])
def test_a_terminal_without_tls_gets_its_files(bench, plug_in, settings):
    plug_in(settings=settings)
    bench.write_image()
    assert "9 files copied" in bench.run("flash")


def test_a_board_with_psram_gets_its_files_and_tls(bench, plug_in):
    plug_in(uname=WITH_PSRAM, settings=TLS)
    bench.write_image()
    assert "9 files copied" in bench.run("flash")


def test_a_micropython_with_the_firmware_in_it_gets_only_what_stays_files(bench, plug_in, frozen):
    plug_in(settings=TLS, romfs=frozen)
    bench.write_image()
    printed = bench.run("flash")
    assert "firmware 1.0 in it" in printed
    assert "3 files copied" in printed
    assert "The terminal is ready" in printed
    there = on_board(bench.port)
    assert set(there) == {"boot.py", "main.py", "board.py", "manifest.json"}


def test_files_that_would_come_before_the_frozen_ones_go_with_their_folder(bench, plug_in, frozen):
    board = plug_in()
    stale = SMALL | {"phoneterm/core/call.py": b"WORD = 'stale'\n", "oled.py": b"", "oled.mpy": b"old"}
    bench.write_image(stale)
    bench.run("flash", "--wait", "0")
    board.__exit__()
    plug_in(romfs=frozen)
    bench.write_image(SMALL | {"oled.mpy": b"new"})
    printed = bench.run("flash")
    assert "The terminal is ready" in printed  # an empty folder phoneterm would be taken for the package
    assert set(on_board(bench.port)) == {"boot.py", "main.py", "board.py", "manifest.json"}


def test_a_frozen_firmware_of_another_version_is_refused(bench, plug_in, frozen):
    plug_in(romfs=frozen)
    bench.write_image(version="2.0")
    printed = bench.run("flash", exit_code=1)
    assert "has the firmware 1.0 in it, and the files here are of 2.0: make image BOARD=BENCH" in printed
    assert on_board(bench.port) == {}


@pytest.fixture
def psk_site(site):
    """A site whose terminals connect with TLS-PSK."""
    lines = ["[broker]", "embedded = false", f'host = "{HERE}"', "psk_port = 8884", "allow_plain = true"]
    site.config.write_text("\n".join([*lines, "[store]", 'path = "bridge.db"', ""]))
    return site


def test_the_image_of_make_image_has_no_tls_psk_as_the_refusal_says():
    assert parse_version(MICROPYTHON_TAG) < OLDEST_WITH_SHARED_KEY


@pytest.mark.parametrize("uname", [ESP32, ESP32.replace("1.29", "1.28")])
async def test_provisioning_with_tls_is_refused_before_board_and_store_are_changed(psk_site, plug_in, uname):
    board = plug_in(uname=uname)
    printed = await asyncio.to_thread(psk_site.provision, exit_code=1)
    assert "A terminal with TLS (tls = psk) does not fit into the memory of this board" in printed
    assert "The image of make image has no TLS-PSK: write it and let the broker show a certificate" in printed
    assert (psk_site.record(), texts_of(board)) == (None, {})


async def test_provisioning_with_tls_works_where_the_firmware_is_in_micropython(psk_site, plug_in, frozen):
    board = plug_in(uname=ESP32, romfs=frozen)
    printed = await asyncio.to_thread(psk_site.provision, "--wait", "0")
    assert "The board is phone-101" in printed
    assert texts_of(board)["tls"] == "psk"
    assert "without TLS" not in printed
