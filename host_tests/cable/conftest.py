"""Boards at cables: the real MicroPython behind pseudo-terminals, images for them, and the commands."""

import contextlib
import hashlib
import json
import shutil
import tempfile
from pathlib import Path

import pytest
from cable.bridge_site import Site
from cable.serial_board import SerialBoard
from device_cable.cli import app
from device_cable.cli.desk import Desk
from firmware_build.image import make_image
from typer.testing import CliRunner

_ROOT = Path(__file__).parents[2]
BOARD = "BENCH"
# A minimal terminal: it prints what the real one would print.
SMALL = {
    "boot.py": b"import os\n",
    "main.py": b"from phoneterm import app\n",
    "board.py": b"NAME = 'BENCH'\n",
    "phoneterm/__init__.py": b"",
    "phoneterm/app.py": b"from phoneterm.core import call\nfrom phoneterm.device import lamp\nprint(call.WORD, '1')\n",
    "phoneterm/core/__init__.py": b"",
    "phoneterm/core/call.py": b"WORD = 'ready'\n",
    "phoneterm/device/__init__.py": b"",
    "phoneterm/device/lamp.py": b"LEVEL = 1\n" + b"# a lamp\n" * 400,
}  # fmt: skip


def files_below(folder):
    """Return every file below a folder, in order."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def make_contents(files, version="1.0", micropython="1.27"):
    """Return files with the manifest of the build."""
    described = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()} for name, content in files.items()
    }
    manifest = {"board": BOARD, "version": version, "micropython": micropython, "files": described}
    return files | {"manifest.json": json.dumps(manifest).encode()}


class Bench:
    """A folder in which commands run, with descriptions of boards, an image, and a board at a cable."""

    def __init__(self, folder):
        self.folder = folder
        self.boards = folder / "boards"
        (self.boards / BOARD).mkdir(parents=True)
        shutil.copyfile(_ROOT / "boards/VIRTUAL/board.py", self.boards / BOARD / "board.py")
        description = {"mcu": "esp32", "deploy_options": {"flash_offset": "0x1000"}}
        (self.boards / BOARD / "board.json").write_text(json.dumps(description))
        self.port = None
        self.desk = Desk()

    def write_image(self, files=SMALL, micropython="1.27", version="1.0"):
        """Write an image in the form of the build."""
        folder = self.folder / "build/firmware" / BOARD
        shutil.rmtree(folder, ignore_errors=True)
        for name, content in make_contents(files, version, micropython).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)

    def write_firmware(self):
        """Make the image of the whole firmware, compiled as a board gets it."""
        folder = self.folder / "compiled"
        make_image(_ROOT / "firmware", folder)
        shutil.copyfile(self.boards / BOARD / "board.py", folder / "board.py")
        self.write_image({str(path.relative_to(folder)): path.read_bytes() for path in files_below(folder)})

    def put_in(self, flashed):
        """Take over the files of `flashed`: the image, and a board's flash with it."""
        shutil.copytree(flashed, self.folder, dirs_exist_ok=True)

    def run(self, command, *options, exit_code=0, environment=None, typed=None):
        """Run one command at the board's port; returns what it printed, and asserts its exit code."""
        arguments = [command, *(("--port", self.port) if self.port else ()), *options]
        if command in ("flash", "provision", "rotate", "smoke"):
            arguments += ["--board", BOARD, "--boards", str(self.boards)]
        result = CliRunner().invoke(app, arguments, env=environment or {}, input=typed, obj=self.desk)
        assert result.exit_code == exit_code, (result.exit_code, result.output, result.exception)
        return result.output


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Bench(tmp_path)


@pytest.fixture(scope="session")
def flashed(fill_once):
    """A folder with the image of the whole firmware, and the flash of a board that got it over the cable."""

    def fill(folder):
        with tempfile.TemporaryDirectory(dir=folder.parent) as workplace, contextlib.chdir(workplace):
            bench = Bench(Path(workplace))
            with SerialBoard(bench.folder, contents=make_contents(SMALL)) as board:
                bench.port = board.port
                bench.write_firmware()
                assert "is not set up yet: make provision" in bench.run("flash")
            shutil.copytree(bench.folder / "build", folder / "build")
            shutil.copyfile(bench.folder / "flash.img", folder / "flash.img")

    return fill_once("flashed", fill)


@pytest.fixture
def plug_in(bench, request):
    """Return a function that connects a board to the bench's cable; it keeps its flash when it is plugged in again.

    What is on it at first are `contents`; by itself nothing, or a minimal terminal where the test has a site.
    """
    boards = []
    at_first = make_contents(SMALL) if "site" in request.fixturenames else None

    def make(contents=at_first, **options):
        board = SerialBoard(bench.folder, contents=contents, **options)
        board.__enter__()
        boards.append(board)
        bench.port = board.port
        return board

    yield make
    for board in boards:
        board.__exit__()


@pytest.fixture
async def site(bench):
    site = Site(bench)
    yield site
    await site.stop()
