"""Flashing a board that holds something else: it is named, asked about and saved before anything is touched."""

import ast
from pathlib import Path

import pytest
from cable.conftest import SMALL, make_contents
from cable.faulty_cables import BoastingCable, GarblingReader, ShortCable
from cable.flash_content import read_flash
from device_cable.cli.desk import Desk
from device_cable.foreign import MICROPYTHON_MODULES

_ROOT = Path(__file__).parents[2]
_HERE = Path(__file__).parent
PROJECT = {
    "boot.py": b"import os\n",
    "main.py": b"print('a weather station')\n",
    "lib/umqtt/simple.py": b"# found after the one in MicroPython\n",
    "manifest.json": b'{"files": ["weather"]}',
    "data/rain.csv": b"1,2\n" * 400,
    "phoneterm/__init__.py": b"# a clone\n",
}
LISTED = ["main.py", "manifest.json", "phoneterm/__init__.py"]


def contents_of(board):
    """Return the files on an unplugged board."""
    board.__exit__()
    return read_flash(board.flash_path.read_bytes())


def saved_below(folder):
    """Return every saved file, by its path below the folder of its run."""
    runs = sorted((folder / "build/saved").glob("*"))
    return {str(path.relative_to(run)): path.read_bytes() for run in runs for path in run.rglob("*") if path.is_file()}


def test_a_foreign_project_is_listed_and_stays_as_it_is_when_somebody_says_no(bench, plug_in):
    board = plug_in(contents=PROJECT)
    bench.write_image()
    printed = bench.run("flash", exit_code=1, typed="n\n")
    assert f"The board at {bench.port} has something in the terminal's way:" in printed
    for path in LISTED:
        assert f"  {path}: is not the terminal's" in printed
    assert "boot.py:" not in printed  # it is the image's own, byte for byte
    assert "rain.csv" not in printed
    assert printed.endswith("Nothing was changed.\n")
    there = contents_of(board)
    assert {path: content for path, content in there.items() if not path.endswith("/")} == PROJECT
    assert saved_below(bench.folder) == {}


def test_where_nobody_answers_nothing_is_changed_and_the_option_is_named(bench, plug_in):
    board = plug_in(contents=PROJECT)
    bench.write_image()
    assert "Nobody answered, and nothing was changed; ARGS=--yes (--yes)" in bench.run("flash", exit_code=1, typed="")
    assert contents_of(board)["main.py"] == PROJECT["main.py"]


def test_a_foreign_project_is_saved_on_the_laptop_before_the_terminal_takes_its_place(bench, plug_in):
    board = plug_in(contents=PROJECT)
    bench.write_image()
    printed = bench.run("flash", typed="y\n")
    assert "Saved 3 files in build/saved/BENCH-" in printed
    assert "The terminal is ready" in printed
    assert saved_below(bench.folder) == {path: PROJECT[path] for path in LISTED}
    there = contents_of(board)
    assert there["data/rain.csv"] == PROJECT["data/rain.csv"]
    assert {path: there[path] for path in SMALL} == SMALL


def test_an_update_of_our_own_files_asks_nothing(bench, plug_in):
    plug_in(contents=make_contents(SMALL | {"main.py": b"print('old')\n", "oled.py": b"OLD = 1\n"}))
    bench.write_image()
    printed = bench.run("flash", typed="")
    assert "1 removed" in printed
    assert "The terminal is ready" in printed


@pytest.mark.parametrize(
    "manifest", [b"\xff\xfe\x00", b"{" * 3000, b"[]", b'{"files": {"main.py": {}}}', b'{"files": null}', b"x" * 70000]
)
def test_a_manifest_that_is_none_of_ours_does_not_block_the_board(bench, plug_in, manifest):
    plug_in(contents={"manifest.json": manifest})
    bench.write_image()
    assert "The terminal is ready" in bench.run("flash", "--yes")
    assert saved_below(bench.folder) == {"manifest.json": manifest}


def test_a_folder_in_the_place_of_a_file_is_saved_and_removed(bench, plug_in):
    plug_in(contents=make_contents(SMALL) | {"board.py/": b"", "phoneterm/core/call.py.new/x.txt": b"1"})
    bench.write_image(SMALL | {"phoneterm/core/call.py": SMALL["phoneterm/core/call.py"] + b"\n"})
    printed = bench.run("flash", "--yes")
    assert "phoneterm/core/call.py.new: a folder where a file must be" in printed
    assert "The terminal is ready" in printed
    assert saved_below(bench.folder) == {"phoneterm/core/call.py.new/x.txt": b"1"}


def test_an_empty_folder_named_like_a_file_is_removed(bench, plug_in):
    board = plug_in(contents={"main.py/": b""})
    bench.write_image()
    printed = bench.run("flash", "--yes")
    assert "main.py: a folder where a file must be" in printed
    assert contents_of(board)["main.py"] == SMALL["main.py"]


def test_a_file_in_the_place_of_a_folder_is_saved_and_removed(bench, plug_in):
    plug_in(contents={"phoneterm": b"a note"})
    bench.write_image()
    printed = bench.run("flash", "--yes")
    assert "phoneterm: a file where a folder must be" in printed
    assert "The terminal is ready" in printed
    assert saved_below(bench.folder) == {"phoneterm": b"a note"}


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("asyncio.py", "asyncio"), ("collections.py", "collections"), ("os.py", "os"), ("sys.py", "sys"),
        ("lib/collections/__init__.py", "collections"), ("board/__init__.py", "board"),
    ],
)  # fmt: skip
def test_what_hides_a_module_is_named_saved_and_removed_also_beside_a_terminal(bench, plug_in, path, module):
    needs = {
        "main.py": b"import asyncio, collections, board, os\nprint('link-up', asyncio.run and os.listdir())\n"
        b"print('ready for keys')\n"
    }
    hiding = {path: b"raise ImportError('a leftover')\n"}
    plug_in(contents=make_contents(SMALL | needs) | hiding)
    bench.write_image(SMALL | needs)
    printed = bench.run("flash", "--yes")
    assert f"{path.removesuffix('/__init__.py')}: hides the module {module}" in printed
    assert "The terminal is ready" in printed
    assert saved_below(bench.folder) == hiding


def test_every_module_that_the_firmware_takes_from_micropython_is_known():
    sources = [*(_ROOT / "firmware").rglob("*.py"), *(_ROOT / "boards/displays").glob("*.py")]
    sources += [path for path in (_ROOT / "boards").glob("*/board.py") if path.parent.name != "VIRTUAL"]
    own = {"phoneterm", "board", "safe", *(path.stem for path in (_ROOT / "boards/displays").glob("*.py"))}
    imported = set()
    for node in (node for path in sources for node in ast.walk(ast.parse(path.read_text()))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module.partition(".")[0])
    assert imported - own - set(MICROPYTHON_MODULES) == set()


def test_what_cannot_be_saved_stays_on_the_board(bench, plug_in):
    board = plug_in(contents=PROJECT)
    bench.write_image()
    (bench.folder / "taken").write_text("")
    printed = bench.run("flash", "--yes", "--saved", "taken", exit_code=1)
    assert "cannot be saved in taken/BENCH-" in printed
    assert printed.endswith("Nothing was changed on the board.\n")
    assert contents_of(board)["main.py"] == PROJECT["main.py"]


def test_a_file_that_arrives_damaged_stays_on_the_board(bench, plug_in):
    board = plug_in(contents=PROJECT)
    bench.write_image()
    bench.desk = Desk(open_cable=GarblingReader)
    printed = bench.run("flash", "--yes", exit_code=1)
    assert printed.endswith("run the same command again. Nothing was changed on the board.\n")
    assert contents_of(board)["main.py"] == PROJECT["main.py"]


def test_a_board_full_of_something_else_is_emptied_of_what_is_in_the_way(bench, plug_in):
    plug_in(blocks=24, contents={"main.py": b"# weather\n" * 8000})
    bench.write_image(SMALL | {"phoneterm/core/bulk.py": b"# padding\n" * 2000})
    assert "The terminal is ready" in bench.run("flash", "--yes")


def test_a_full_board_gets_nothing_and_nothing_of_it_is_removed(bench, plug_in):
    contents = {"main.py": b"print('mine')\n", "photo.jpg": b"x" * 70000}
    board = plug_in(blocks=24, contents=contents)
    bench.write_image(SMALL | {"phoneterm/core/bulk.py": b"# padding\n" * 2000})
    printed = bench.run("flash", "--yes", exit_code=1)
    assert "remove files that are not the terminal's" in printed
    assert printed.endswith("Nothing was changed.\n")
    assert contents_of(board) == contents


def test_an_empty_board_that_fills_up_on_the_way_is_empty_again(bench, plug_in):
    board = plug_in(blocks=24)
    bench.desk = Desk(open_cable=BoastingCable)
    bench.write_image(SMALL | {"phoneterm/core/bulk.py": b"# padding\n" * 12000})
    assert bench.run("flash", exit_code=1).endswith("Nothing was changed.\n")
    assert contents_of(board) == {}


def test_a_board_that_fills_up_when_something_was_removed_says_so(bench, plug_in):
    board = plug_in(blocks=24, contents={"main.py": b"print('mine')\n", "photo.jpg": b"x" * 5000})
    bench.desk = Desk(open_cable=BoastingCable)
    bench.write_image(SMALL | {"phoneterm/core/bulk.py": b"# padding\n" * 12000})
    printed = bench.run("flash", "--yes", exit_code=1)
    assert printed.endswith("is removed and saved on this computer; nothing else was changed.\n")
    assert saved_below(bench.folder) == {"main.py": b"print('mine')\n"}
    assert contents_of(board) == {"photo.jpg": b"x" * 5000}


def test_a_board_whose_boot_waits_for_ever_is_flashed(bench, plug_in):
    plug_in(contents={"boot.py": b"import time\nwhile True:\n    time.sleep_ms(5)\n"})
    bench.write_image()
    assert "The terminal is ready" in bench.run("flash", "--yes")


def test_a_board_whose_boot_prints_without_a_pause_is_flashed(bench, plug_in):
    """Ctrl-C ends that, but emptying the memory begins it again, while mpremote waits for a silence."""
    plug_in(contents={"boot.py": b"while True:\n    print('hello')\n"})
    bench.desk = Desk(open_cable=ShortCable)
    bench.write_image()
    assert "The terminal is ready" in bench.run("flash", "--yes")


def test_a_board_that_starts_again_and_again_is_told_with_the_way_out(bench, plug_in):
    plug_in(has_micropython=False, mutters=b"rst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n")
    bench.desk = Desk(open_cable=ShortCable)
    bench.write_image()
    printed = bench.run("flash", exit_code=1)
    assert f"The board at {bench.port} starts again and again (" in printed
    assert f"make flash BOARD=BENCH PORT={bench.port} IMAGE=FILE.bin erases the board" in printed


def test_a_board_that_floods_its_port_is_told_with_what_it_says(bench, plug_in):
    board = plug_in(contents={"main.py": (_HERE / "vm_modules/deaf_flood.py").read_bytes()})
    board.wait_for(b"hello")
    bench.desk = Desk(open_cable=ShortCable)
    bench.write_image()
    printed = bench.run("flash", exit_code=1)
    assert f"The board at {bench.port} writes without a pause and takes no commands; it says 'hello'." in printed
    assert "IMAGE=FILE.bin erases the board" in printed
