"""A whole desk whose table of operations has `park` and `lot`: presses their keys, and prints the result.

Usage: parking_desk.py FIRMWARE FOLDER, with FIRMWARE first on the path, so that phone and bridge have its table. The
backend parks a caller at a number of the dialplan; that one method is all that a PBX needs for an operation.
"""

import asyncio
import json
import sys
from functools import partial
from pathlib import Path

from attack_lab.scenery.waiting import until
from desk_lab.installation import CALLER, EXTENSION, Installation, make_lab, make_virtual_phone
from e2e.hand import Hand
from pbx_lab.lab import CONTEXT
from phoneterm.core import operations
from phoneterm_bridge.pbx.ami.settings import AmiSettings
from phoneterm_bridge.pbx.asterisk.adapter import AsteriskPbx
from phoneterm_bridge.pbx.port import Target
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.journal_reading import find_nearest
from phoneterm_bridge.wording.why import explain
from virtual_phone.build import Build

ORBIT = "102"


class ParkingPbx(AsteriskPbx):
    """Asterisk that can also park a caller, at a number or in a free lot."""

    operations = AsteriskPbx.operations | {"park", "lot"}

    async def carry_out(self, operation, call, target):
        if operation not in ("park", "lot"):
            return await super().carry_out(operation, call, target)
        return await super().carry_out("blind", call, target or Target(CONTEXT, ORBIT))


class ParkingInstallation(Installation):
    """The usual installation, with a bridge whose PBX can park."""

    def make_backend(self):
        pbx = self.settings.pbx
        return ParkingPbx(AmiSettings(pbx.host, pbx.port, pbx.username, pbx.secret.get_secret_value()))


def is_parked(legs):
    """Say whether the caller talks to the orbit, and the user is out of the call."""
    hears = {leg.endpoint: leg.connected_to for leg in legs if leg.state == "up"}
    return hears.get(CALLER) == ORBIT and EXTENSION not in hears


async def press(desk, keys):
    """Make the caller call the user, who presses these keys; return the result once the caller is parked."""
    talking = asyncio.create_task(desk.keypad.wait_for_event(lambda event: event.get("line") == "call talking"))
    told = asyncio.create_task(desk.keypad.wait_for_event(lambda event: event.get("lines") == ["Transferred", ""]))
    await asyncio.sleep(0)  # lets the tasks begin to listen
    await desk.lab.place_call(CALLER, EXTENSION)
    await talking
    await desk.keypad.wait_for_signal("ready")  # further keys no longer belong to the last sequence
    await Hand(desk, print).key(keys)
    await desk.lab.wait_until(is_parked)
    await told
    await desk.lab.clear()
    timeline = await read_whole_timeline(desk)
    results = results_of(timeline)
    lines = [event["lines"] for event in desk.keypad.history if event["event"] == "display"]
    said = {"op": timeline.command.op, "number": timeline.command.number, "results": results, "lines": lines}
    return said | {"sentence": explain(timeline)}


async def read_whole_timeline(desk):
    """Return the timeline of the last command, once its end is in it: that is written after the phone knows it."""
    engine = open_store(desk.settings.store.path)
    try:
        await until(lambda: "done" in results_of(find_nearest(engine, EXTENSION, None)))
        return find_nearest(engine, EXTENSION, None)
    finally:
        engine.dispose()


def results_of(timeline):
    return [line.word for line in timeline.lines if line.stage == "result"]


async def main(firmware, folder):
    assert Path(operations.__file__).is_relative_to(firmware)
    make_phone = partial(make_virtual_phone, build=Build(firmware))
    desk = ParkingInstallation(make_lab("simulator"), folder, make_phone=make_phone)
    await desk.start()
    try:
        said = [await press(desk, keys) for keys in ("*7" + ORBIT, "#8")]
    finally:
        await desk.stop()
    print(json.dumps(said))


asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
