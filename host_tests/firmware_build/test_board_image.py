"""A board's image: all files that it needs and no others, listed with hashes, the same every time, and it runs."""

import hashlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from board_check.board_file import BOARDS, find_boards, read_board
from firmware_build.board_image import BoardUnfit, build_image, put_in_place
from firmware_build.sizes import CompileFailed
from firmware_build.version import VersionMissing, read_version
from vm_program import run_program

_FIRMWARE = Path(__file__).parents[2] / "firmware"
_ALL = [folder.name for folder in find_boards()]
_REAL = [name for name in _ALL if name != "VIRTUAL"]


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", _ALL)
def test_an_image_has_what_the_board_needs_and_a_manifest_of_it(tmp_path, name):
    image = build_image(BOARDS / name, _FIRMWARE, tmp_path)
    files = contents(image.folder)
    manifest = json.loads(files.pop("manifest.json"))
    assert manifest.keys() == {"board", "version", "micropython", "files"}
    assert (manifest["board"], manifest["version"]) == (name, read_version(_FIRMWARE))
    assert manifest["micropython"] == "1.27"
    assert manifest["files"] == {
        path: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()} for path, content in files.items()
    }
    assert image.files == {path: len(content) for path, content in files.items()}
    assert {"boot.py", "main.py", "board.py", "phoneterm/app.mpy", "phoneterm/core/terminal.mpy"} <= files.keys()
    assert files["board.py"] == (BOARDS / name / "board.py").read_bytes()
    display = read_board(BOARDS / name).display
    drivers = {path.stem for path in (BOARDS / "displays").glob("*.py")} & {Path(path).stem for path in files}
    assert drivers == ({display.driver} if display else set())


def test_the_same_sources_give_the_same_bytes(tmp_path):
    first = build_image(BOARDS / "ESP32_GENERIC", _FIRMWARE, tmp_path / "first")
    shutil.copytree(_FIRMWARE, tmp_path / "copy" / "firmware", ignore=shutil.ignore_patterns("__pycache__"))
    second = build_image(BOARDS / "ESP32_GENERIC", tmp_path / "copy" / "firmware", tmp_path / "second")
    assert contents(first.folder) == contents(second.folder)


def test_a_new_image_takes_the_place_of_the_old_one(tmp_path):
    folder = build_image(BOARDS / "VIRTUAL", _FIRMWARE, tmp_path).folder
    (folder / "left-over.mpy").write_bytes(b"")
    (tmp_path / "VIRTUAL.romfs").write_bytes(b"of the old files")
    build_image(BOARDS / "VIRTUAL", _FIRMWARE, tmp_path)
    assert not (folder / "left-over.mpy").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["VIRTUAL"]


def test_a_build_that_fails_leaves_the_old_image(tmp_path):
    folder = build_image(BOARDS / "VIRTUAL", _FIRMWARE, tmp_path).folder
    before = contents(folder)
    broken = tmp_path / "firmware"
    shutil.copytree(_FIRMWARE, broken, ignore=shutil.ignore_patterns("__pycache__"))
    (broken / "phoneterm" / "app.py").write_text("def broken(:\n")
    with pytest.raises(CompileFailed, match=r"phoneterm/app.py does not compile"):
        build_image(BOARDS / "VIRTUAL", broken, tmp_path)
    assert contents(folder) == before
    assert {path.name for path in tmp_path.iterdir()} == {"VIRTUAL", "firmware"}


def test_a_board_that_cannot_work_is_not_built(tmp_path):
    shutil.copytree(BOARDS / "VIRTUAL", tmp_path / "VIRTUAL")
    path = tmp_path / "VIRTUAL" / "board.py"
    path.write_text(path.read_text().replace("(13, 14", "(6, 14"))
    with pytest.raises(BoardUnfit, match="VIRTUAL: Row 1 is on GPIO6, which belongs to the flash memory"):
        build_image(tmp_path / "VIRTUAL", _FIRMWARE, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_firmware_without_a_version_is_one_sentence(tmp_path):
    (tmp_path / "main.py").write_text("")
    with pytest.raises(VersionMissing, match="does not say its version"):
        build_image(BOARDS / "VIRTUAL", tmp_path, tmp_path / "out")


@pytest.mark.parametrize("name", _REAL)
def test_a_board_and_its_display_work_on_micropython_from_the_image(tmp_path, name):
    image = build_image(BOARDS / name, _FIRMWARE, tmp_path)
    lines = run_program(Path(__file__).parent / "vm_modules" / "board_image.py", image.folder, path=())
    display = read_board(BOARDS / name).display
    shown = f"display on SCL {display.scl} SDA {display.sda}, written to" if display else "no display"
    assert lines == [name, "keypad ok", shown]


def test_a_board_in_a_folder_elsewhere_gets_its_display_too(tmp_path):
    shutil.copytree(BOARDS / "ESP32_GENERIC", tmp_path / "mine" / "ESP32_GENERIC")
    image = build_image(tmp_path / "mine" / "ESP32_GENERIC", _FIRMWARE, tmp_path / "out")
    assert "oled.mpy" in image.files


def test_builds_for_one_board_at_the_same_time_all_succeed_and_leave_a_whole_folder(tmp_path):
    place = tmp_path / "BOARD"

    def build(builder):
        for number in range(200):
            made, aside = tmp_path / f"made-{builder}", tmp_path / f"aside-{builder}-{number}"
            aside.mkdir()
            made.mkdir()
            for name in ("one", "two"):
                (made / name).write_text(f"{builder}-{number}")
            put_in_place(made, place, aside)

    with ThreadPoolExecutor() as pool:
        list(pool.map(build, range(4)))
    one, two = sorted(place.iterdir())
    assert one.read_text() == two.read_text()
