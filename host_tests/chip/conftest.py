"""One installation with an emulated ESP32: keypad at its pins, the firmware on its MicroPython, MQTT, bridge, PBX."""

import asyncio

import pytest
import pytest_asyncio
from chip_lab.installation import ChipInstallation
from desk_lab.installation import CALLER, EXTENSION
from e2e.hand_made import HandMadeTerminal
from e2e.permission import change_permission
from pbx_lab.legs import are_alone

from chip.hand import Hand

BACK_S = 90  # a chip takes seconds to read its files, and many more on a busy computer


@pytest.fixture(scope="package")
def pbx_kind():
    """The kind of PBX with which the times in this package's tests were measured."""
    return "emulated chip"


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def whole(need_chip, tmp_path_factory):
    """A running installation, shared by all tests that leave it as it was."""
    installation = ChipInstallation(tmp_path_factory.mktemp("store"))
    await installation.start()
    yield installation
    await installation.stop()


@pytest_asyncio.fixture(loop_scope="package")
async def desk(whole):
    """The installation while 103 and 101 talk, and 101 may transfer; all calls are ended afterwards."""
    await change_permission(whole, True)
    talking = asyncio.create_task(whole.keypad.wait_for_event(is_line("call talking"), BACK_S))
    await asyncio.sleep(0)  # lets the task begin to listen
    await whole.lab.place_call(CALLER, EXTENSION)
    await whole.lab.wait_until(lambda legs: are_alone(legs, CALLER, EXTENSION))
    await talking
    await whole.keypad.wait_for_signal("ready", BACK_S)
    yield whole
    await whole.lab.clear()


@pytest.fixture
def hand(whole, note):
    """The hand at the keypad, which keys again when the phone asks for it."""
    return Hand(whole.keypad, note)


@pytest_asyncio.fixture(loop_scope="package")
async def hand_made(desk):
    """A terminal made by hand with the secrets of the real one; the real one gets a new session afterwards."""
    async with HandMadeTerminal(desk) as terminal:
        yield terminal
    await start_anew(desk)


async def start_anew(installation):
    """Press the reset button, and wait until the terminal is ready and has read its configuration."""
    keypad = installation.keypad
    starting = asyncio.create_task(keypad.wait_for_event(lambda event: event.get("name") == "starting", BACK_S))
    await asyncio.sleep(0)  # lets the task begin to listen
    await keypad.reset()
    await starting
    await keypad.wait_for_signal("ready", BACK_S)
    await installation.wait_for_configuration()


def is_line(line):
    """Return a function that says whether an event is this line of the log."""
    return lambda event: event.get("line") == line
