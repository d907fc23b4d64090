"""One installation for each PBX: keypad, firmware on the MicroPython VM, MQTT, bridge, PBX and its phones."""

import pytest
import pytest_asyncio
from phoneterm_cli.installation import CALLER, EXTENSION, PBX_KINDS, Installation, make_lab


@pytest_asyncio.fixture(scope="package", loop_scope="package", params=PBX_KINDS)
async def whole(request, need_part, tmp_path_factory):
    """A running installation, the same for all tests of one PBX."""
    if request.param == "asterisk":
        need_part("asterisk")
        need_part("sipp")
    installation = Installation(make_lab(request.param), tmp_path_factory.mktemp("store"))
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


@pytest.fixture(scope="session")
def figures():
    """Collects times to print at the end: (what, PBX) -> milliseconds. Timings are told here, never asserted."""
    collected = {}
    yield collected
    if collected:
        print("\nTimes on this machine, in ms:")
        for (what, pbx), value_ms in collected.items():
            print(f"    {what} ({pbx}): {value_ms:.1f}")
