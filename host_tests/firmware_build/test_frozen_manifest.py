"""The manifests for frozen images name the modules that a board's files would be, as MicroPython's build reads them."""

from pathlib import Path

import pytest
from board_check.board_file import BOARDS, find_boards, read_board
from firmware_build.image import NOT_ON_DEVICE

_FIRMWARE = Path(__file__).parents[2] / "firmware"


class Build:
    """Reads manifests by MicroPython's rules: paths are relative to the manifest that names them."""

    def __init__(self):
        self.port_manifests = []
        self.modules = {}

    def read(self, path):
        names = {
            "include": lambda other: self._include(path, other),
            "module": lambda name, base_path=".", opt=None: self._take(path.parent / base_path, [name]),
            "package": lambda name, files=None, base_path=".", opt=None: self._package(path, name, files, base_path),
        }
        exec(compile(path.read_text(), str(path), "exec"), names)

    def _include(self, path, other):
        if other.startswith("$(PORT_DIR)/"):
            self.port_manifests.append(other)
        else:
            self.read((path.parent / other).resolve())

    def _package(self, path, name, files, base_path):
        base = path.parent / base_path
        found = [file.relative_to(base) for file in (base / name).rglob("*.py")]
        self._take(base, found if files is None else [Path(name) / file for file in files])

    def _take(self, base, paths):
        for path in paths:
            assert (base / path).is_file(), f"{base / path} does not exist"
            assert self.modules.setdefault(Path(path).as_posix(), base) == base


@pytest.mark.parametrize("folder", find_boards(), ids=lambda folder: folder.name)
def test_a_frozen_image_has_the_same_modules_as_the_files(folder):
    build = Build()
    build.read(folder / "manifest.py")
    display = read_board(folder).display
    expected = {path.relative_to(_FIRMWARE).as_posix() for path in (_FIRMWARE / "phoneterm").rglob("*.py")}
    expected |= {f"{display.driver}.py"} if display else set()
    assert build.modules.keys() - set(NOT_ON_DEVICE) == expected - set(NOT_ON_DEVICE)
    assert build.port_manifests == ["$(PORT_DIR)/boards/manifest.py"], "the stock image's own modules are missing"


def test_every_board_has_a_manifest():
    assert {folder.name for folder in find_boards()} == {path.parent.name for path in BOARDS.glob("*/manifest.py")}
