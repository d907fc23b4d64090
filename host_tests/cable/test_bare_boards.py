"""Provisioning a board that has no firmware, or not all of it: refused before anything is written or enrolled."""

import asyncio

import pytest
from cable.bridge_site import texts_of
from cable.conftest import SMALL, make_contents

HALF = make_contents(SMALL)
del HALF["phoneterm/core/call.py"]


@pytest.mark.parametrize(
    ("contents", "what"),
    [
        (None, "has no firmware of a terminal"),
        ({"main.py": b"print('mine')\n", "manifest.json": b"{}"}, "has no firmware of a terminal"),
        (HALF, "lacks a part of its firmware (phoneterm/core/call.py)"),
    ],
)
async def test_a_board_without_the_firmware_is_not_enrolled(site, plug_in, contents, what):
    board = plug_in(contents=contents)
    printed = await asyncio.to_thread(site.provision, exit_code=1)
    port = site.bench.port
    assert printed.endswith(
        f"The board at {port} {what}: make flash BOARD=BENCH PORT={port} first. Nothing was written.\n"
    )
    assert (site.record(), texts_of(board)) == (None, {})
