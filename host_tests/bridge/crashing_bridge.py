"""A bridge in its own process that is killed, as by kill -9, at one step of a command. Run by test_journal.

Usage: crashing_bridge.py FOLDER STEP. STEP is "before-action" (in the journal, the PBX not asked yet) or "in-action"
(the PBX is being asked).
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from attack_lab.scenery.scene import Scene
from phoneterm.core import messages


def _die():
    os.kill(os.getpid(), signal.SIGKILL)


async def main(folder, step):
    scene = await Scene(folder).start()

    async def carry_out(operation, call, target):
        _die()

    if step == "in-action":
        scene.pbx.carry_out = carry_out
    else:
        scene.bridge.parts.checks.check_again = lambda command: _die()  # the last that is done before
    terminal = await scene.terminal()
    await terminal.hello()
    fields = terminal.command()
    print(fields["id"], flush=True)
    await terminal.send(messages.COMMAND, fields)
    await asyncio.Event().wait()


asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
