"""One installation for each PBX: keypad, firmware on the MicroPython VM, MQTT, bridge, PBX and its phones."""

import asyncio

import pytest
import pytest_asyncio
from e2e.hand_made import HandMadeTerminal
from e2e.permission import change_permission
from pbx.desk import are_talking
from phoneterm_cli.installation import CALLER, EXTENSION, PBX_KINDS, Installation, make_lab
from virtual_phone.phone import VirtualPhone


class UnkindInstallation(Installation):
    """Its phone is as unkind as the chip in two ways at once: it waits in ticks, and its display takes time."""

    display = ""

    def _make_phone(self, settings, control_port):
        texts = settings | {"wifi_ssid": "virtual"}
        return VirtualPhone(texts, control_port, display=self.display, tick_ms=10)


def make_installation(lab, folder, display):
    """Return an installation, whose phone is the usual one without a display that costs time."""
    if not display:
        return Installation(lab, folder)
    installation = UnkindInstallation(lab, folder)
    installation.display = display
    return installation


@pytest.fixture(scope="package", params=PBX_KINDS)
def pbx_kind(request):
    """Which PBX the test runs on."""
    return request.param


@pytest.fixture(scope="package")
def display(request):
    """Which display the phone has, if the test says so: "oled" or "lcd" for one that costs time."""
    return getattr(request, "param", "")


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def whole(pbx_kind, display, need_part, tmp_path_factory):
    """A running installation, the same for all tests of one PBX and display."""
    if pbx_kind == "asterisk":
        need_part("asterisk")
        need_part("sipp")
    installation = make_installation(make_lab(pbx_kind), tmp_path_factory.mktemp("store"), display)
    await installation.start()
    yield installation
    await installation.stop()


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
