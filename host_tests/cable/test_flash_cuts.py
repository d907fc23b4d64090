"""Power that is lost at any write to the flash while a board is flashed: the next flash mends the board.

Every write of one flash is recorded. Then a board gets each state of the flash that the writes lead through, as far as
its files differ. A pulled cable leaves one of the same states.
"""

import struct

import pytest
from cable.conftest import make_contents
from cable.flash_content import make_flash, read_flash

_BLOCKS = 64
IMAGE = {
    "boot.py": b"import os\n",
    "main.py": b"from phoneterm import app\n",
    "phoneterm/__init__.py": b"",
    "phoneterm/app.py": b"print('link-up', 1)\nprint('ready for keys')\n",
}
OLD = IMAGE | {"phoneterm/app.py": b"print('old')\n", "oled.py": b"OLD = 1\n", "phoneterm/old.py": b"OLD = 2\n"}
PROJECT = {
    "main.py": b"print('a weather station')\n",
    "asyncio.py": b"raise ImportError\n",
    "phoneterm": b"a note\n",
    "boot.py/x.txt": b"1",
}


def states_of(flash, log):
    """Yield the flash as it is before the first write, and after each."""
    flash = bytearray(flash)
    yield bytes(flash)
    at = 0
    while at < len(log):
        offset, size = struct.unpack_from("<II", log, at)
        flash[offset : offset + size] = log[at + 8 : at + 8 + size]
        at += 8 + size
        yield bytes(flash)


@pytest.mark.parametrize(
    ("contents", "fewest_states"),
    [({}, 15), (make_contents(OLD), 9), (PROJECT, 20)],
    ids=["empty", "update", "foreign"],
)
def test_power_that_is_lost_after_any_write_is_mended_by_the_next_flash(bench, plug_in, contents, fewest_states):
    before = make_flash(contents, _BLOCKS)
    path, log = bench.folder / "flash.img", bench.folder / "writes"
    path.write_bytes(before)
    bench.write_image(IMAGE)
    board = plug_in(blocks=_BLOCKS, write_log=log)
    assert "The terminal is ready" in bench.run("flash", "--yes")
    board.__exit__()
    wanted = read_flash(path.read_bytes())
    assert {name: wanted[name] for name in IMAGE} == IMAGE

    tried = []
    for state in states_of(before, log.read_bytes()):
        there = read_flash(state)
        if there in tried:
            continue
        tried.append(there)
        path.write_bytes(state)
        board = plug_in(blocks=_BLOCKS)
        assert "The terminal is ready" in bench.run("flash", "--yes"), there
        board.__exit__()
        assert read_flash(path.read_bytes()) == wanted, there
    assert len(tried) >= fewest_states
