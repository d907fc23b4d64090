"""One installation for each PBX and VM: keypad, firmware on MicroPython, MQTT, bridge, PBX and its phones.

The 32-bit VMs have the heap limit for copied files, or a chip's initial heap for frozen ones (`heap_lab/limits.py`). A
terminal that reports a shortage of memory there has failed, whatever else it did.
"""

import asyncio
from collections import namedtuple
from functools import partial

import pytest
import pytest_asyncio
from desk_lab.installation import CALLER, EXTENSION, Installation, make_lab, make_virtual_phone
from heap_lab import limits, story
from lab_parts import parts
from pbx_lab.legs import are_alone
from virtual_phone.build import Build
from virtual_phone.wired_display import KINDS as DISPLAYS

from e2e.hand import Hand
from e2e.hand_made import HandMadeTerminal
from e2e.measured_heap import measure_heap
from e2e.permission import change_permission

# pbx: which one. bits: the width of the VM. is_frozen: whether the firmware is. display: one that costs time, on a
# phone that waits as the chip does, in ticks of 10 ms; none of both when empty. settings: more, of the bridge.
Place = namedtuple("Place", "pbx bits is_frozen display settings", defaults=(64, False, "", ()))

PLACES = [
    pytest.param(Place("simulator"), id="simulator"),
    pytest.param(Place("asterisk"), id="asterisk"),
    pytest.param(Place("simulator", 32), id="simulator-32-bit"),
    pytest.param(Place("asterisk", 32), id="asterisk-32-bit"),
    pytest.param(Place("simulator", 32, True), id="simulator-32-bit-frozen"),
]
WITH_DISPLAYS = [pytest.param(Place("simulator", display=kind), id=f"simulator-ticks-{kind}") for kind in DISPLAYS]


def phone_of(place, heap):
    """Return a function that makes the phone of a place; `heap` is the heap of its chip, for the 32-bit VM."""
    build = Build(
        bits=place.bits, is_frozen=place.is_frozen, display=place.display, tick_ms=10 if place.display else 0, **heap
    )
    return partial(make_virtual_phone, build=build)


@pytest.fixture(scope="package", params=PLACES)
def place(request, need_part):
    """Where the test runs."""
    if request.param.pbx == "asterisk":
        need_part("asterisk")
        need_part("sipp")
    if request.param.bits == 32:
        need_part(parts.MICROPYTHON_32)
    return request.param


@pytest.fixture(scope="package")
def pbx_kind(place):
    """Which PBX the test runs on."""
    return place.pbx


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def whole(place, make_once, tmp_path_factory):
    """A running installation, the same for all tests of one place."""
    heap = {}
    if place.bits == 32:
        live = await measure_heap(make_once, place.is_frozen)
        most = limits.FIRST_HEAP_BYTES if place.is_frozen else limits.WORKS_BYTES
        heap = {"heap_kib": live.heap_kib(most)}
    folder = tmp_path_factory.mktemp("store")
    installation = Installation(make_lab(place.pbx), folder, make_phone=phone_of(place, heap))
    installation.more_settings = place.settings
    await installation.start()
    yield installation
    lines = list(installation.phone.log_lines)
    await installation.stop()
    print("The terminal's lines:", *lines, sep="\n")  # shown when this fails
    assert place.bits == 64 or story.find_shortage(lines) is None


@pytest_asyncio.fixture(loop_scope="package")
async def desk(whole):
    """The installation with 103 and 101 talking, and 101 allowed to transfer; ends all calls afterwards."""
    await change_permission(whole, True)
    await whole.place_call()
    await whole.lab.wait_until(lambda legs: are_alone(legs, CALLER, EXTENSION))
    await whole.keypad.wait_for_signal("ready")
    yield whole
    print("The terminal's last lines:", *list(whole.phone.log_lines)[-40:], sep="\n")  # shown when the test failed
    await whole.lab.clear()


@pytest.fixture
def hand(whole, note):
    """The hand at the keypad; it keys again what the phone missed because the computer was busy."""
    return Hand(whole, note)


@pytest_asyncio.fixture(loop_scope="package")
async def hand_made(desk):
    """A hand-made terminal with the secrets of the real one, which gets a new session afterwards."""
    async with HandMadeTerminal(desk) as terminal:
        yield terminal
    starting = asyncio.create_task(desk.keypad.wait_for_event(lambda event: event.get("name") == "starting"))
    await asyncio.sleep(0)  # lets the task begin to listen
    await desk.keypad.reset()
    await starting
    await desk.keypad.wait_for_signal("ready")
