"""One installation for each PBX: keypad, firmware on the MicroPython VM, MQTT, bridge, PBX and its phones."""

import pytest
import pytest_asyncio
from phoneterm_cli.installation import CALLER, EXTENSION, PBX_KINDS, Installation, make_lab


@pytest.fixture(scope="package", params=PBX_KINDS)
def pbx_kind(request):
    """Which PBX the test runs on."""
    return request.param


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def whole(pbx_kind, need_part, tmp_path_factory):
    """A running installation, the same for all tests of one PBX."""
    if pbx_kind == "asterisk":
        need_part("asterisk")
        need_part("sipp")
    installation = Installation(make_lab(pbx_kind), tmp_path_factory.mktemp("store"))
    await installation.start()
    yield installation
    await installation.stop()


@pytest_asyncio.fixture(loop_scope="package")
async def desk(whole):
    """The installation with 103 and 101 talking, and 101 allowed to transfer; ends all calls afterwards."""
    whole.set_permission(True)
    await whole.lab.place_call(CALLER, EXTENSION)
    await whole.keypad.wait_for_signal("ready")
    yield whole
    await whole.lab.clear()
