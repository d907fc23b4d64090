"""One installation with an emulated ESP32: keypad at its pins, the firmware on its MicroPython, MQTT, bridge, PBX."""

import asyncio

import pytest
import pytest_asyncio
from chip_lab.installation import ChipInstallation
from desk_lab.installation import CALLER, EXTENSION
from e2e.hand_made import HandMadeTerminal
from e2e.permission import change_permission
from pbx.desk import are_talking

from chip.hand import Hand

BACK_S = 90  # a chip reads its files in seconds, and a busy computer makes them many


@pytest.fixture(scope="package")
def pbx_kind():
    """Where the times of this package's tests were taken."""
    return "emulated chip"


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def whole(need_chip, tmp_path_factory):
    """A running installation, the same for all tests that leave it as it was."""
    installation = ChipInstallation(tmp_path_factory.mktemp("store"))
    await installation.start()
    yield installation
    await installation.stop()


@pytest_asyncio.fixture(loop_scope="package")
async def desk(whole):
    """The installation with 103 and 101 talking, and 101 allowed to transfer; ends all calls afterwards."""
    await change_permission(whole, True)
    talking = asyncio.create_task(whole.keypad.wait_for_event(is_line("call talking"), BACK_S))
    await asyncio.sleep(0)  # lets the task begin to listen
    await whole.lab.place_call(CALLER, EXTENSION)
    await whole.lab.wait_until(lambda legs: are_talking(legs, CALLER, EXTENSION))
    await talking
    await whole.keypad.wait_for_signal("ready", BACK_S)
    yield whole
    await whole.lab.clear()


@pytest.fixture
def hand(whole, note):
    """The hand at the keypad, which keys again what the phone asks to have again."""
    return Hand(whole.keypad, note)


@pytest_asyncio.fixture(loop_scope="package")
async def hand_made(desk):
    """A terminal made by hand with the secrets of the real one, which gets a session of its own again afterwards."""
    async with HandMadeTerminal(desk) as terminal:
        yield terminal
    await start_anew(desk)


async def start_anew(installation):
    """Press the reset button, and return when the terminal is ready and has read its configuration."""
    keypad = installation.keypad
    starting = asyncio.create_task(keypad.wait_for_event(lambda event: event.get("name") == "starting", BACK_S))
    await asyncio.sleep(0)  # lets the task begin to listen
    await keypad.reset()
    await starting
    await keypad.wait_for_signal("ready", BACK_S)
    await installation.wait_for_configuration()


def is_line(line):
    """Return whether an event is this line of the log, as a function."""
    return lambda event: event.get("line") == line
