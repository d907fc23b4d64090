"""One installation for each PBX and VM: keypad, firmware on MicroPython, MQTT, bridge, PBX and its phones.

The 32-bit VMs have the heap that the firmware must work in, and a terminal that says there that its memory is short
has failed, whatever else it did.
"""

import asyncio
from functools import partial

import pytest
import pytest_asyncio
from e2e.hand_made import HandMadeTerminal
from e2e.permission import change_permission
from heap_lab import limits, measure, story
from lab_parts import parts
from pbx.desk import are_talking
from phoneterm_cli.installation import CALLER, EXTENSION, Installation, make_lab
from virtual_phone.phone import VirtualPhone

# The PBX, the width of the VM in bits, whether the firmware is frozen in.
_PLACES = [
    pytest.param(("simulator", 64, False), id="simulator"),
    pytest.param(("asterisk", 64, False), id="asterisk"),
    pytest.param(("simulator", 32, False), id="simulator-32-bit"),
    pytest.param(("asterisk", 32, False), id="asterisk-32-bit"),
    pytest.param(("simulator", 32, True), id="simulator-32-bit-frozen"),
]


@pytest.fixture(scope="package", params=_PLACES)
def place(request, need_part):
    """Where the test runs."""
    pbx, bits, _ = request.param
    if pbx == "asterisk":
        need_part("asterisk")
        need_part("sipp")
    if bits == 32:
        need_part(parts.MICROPYTHON_32)
    return request.param


@pytest.fixture(scope="package")
def pbx_kind(place):
    """Which PBX the test runs on."""
    return place[0]


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def whole(place, tmp_path_factory):
    """A running installation, the same for all tests of one place."""
    pbx, bits, is_frozen = place
    make_phone = VirtualPhone
    if bits == 32:
        live = await measure.measure_live(is_frozen, await measure.measure_chip())
        most = limits.FROZEN_WORKS_BYTES if is_frozen else limits.WORKS_BYTES
        make_phone = partial(VirtualPhone, heap_kib=live.heap_kib(most), bits=32, is_frozen=is_frozen)
    installation = Installation(make_lab(pbx), tmp_path_factory.mktemp("store"), make_phone=make_phone)
    await installation.start()
    yield installation
    lines = list(installation.phone.log_lines)
    await installation.stop()
    assert story.find_shortage(lines) is None


@pytest_asyncio.fixture(loop_scope="package")
async def desk(whole):
    """The installation with 103 and 101 talking, and 101 allowed to transfer; ends all calls afterwards."""
    await change_permission(whole, True)
    talking = asyncio.create_task(whole.keypad.wait_for_event(lambda event: event.get("line") == "call talking"))
    await asyncio.sleep(0)  # lets the task begin to listen
    await whole.lab.place_call(CALLER, EXTENSION)
    await whole.lab.wait_until(lambda legs: are_talking(legs, CALLER, EXTENSION))
    await talking
    await whole.keypad.wait_for_signal("ready")
    yield whole
    await whole.lab.clear()


@pytest_asyncio.fixture(loop_scope="package")
async def hand_made(desk):
    """A terminal made by hand with the secrets of the real one, which gets a session of its own again afterwards."""
    async with HandMadeTerminal(desk) as terminal:
        yield terminal
    starting = asyncio.create_task(desk.keypad.wait_for_event(lambda event: event.get("name") == "starting"))
    await asyncio.sleep(0)  # lets the task begin to listen
    await desk.keypad.reset()
    await starting
    await desk.keypad.wait_for_signal("ready")
