"""Asks the doctor in a process of its own: the bridge stays as small, and as quick, as it is. Finds nothing itself.

That process gets the settings of the running bridge on its standard input, secrets included, so it looks with exactly
these; its findings come back as JSON.
"""

import asyncio
import json
import pickle
import sys
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from typing import Any

from phoneterm_bridge.settings.bridge import BridgeSettings
from phoneterm_bridge.settings.problem import SetupProblem

_PATIENCE_S = 60.0


async def examine(settings: BridgeSettings) -> list[dict[str, Any]]:
    """Return the doctor's findings as plain values; SetupProblem when it does not answer."""
    argv = (sys.executable, "-m", "phoneterm_bridge.console.examining")
    process = await asyncio.create_subprocess_exec(*argv, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
    try:
        said, _ = await asyncio.wait_for(process.communicate(pickle.dumps(settings)), _PATIENCE_S)
        return json.loads(said)
    except (TimeoutError, ValueError):
        raise SetupProblem("The doctor did not answer; `phoneterm doctor` on the bridge's machine says more.") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def main() -> None:
    """Examine everything with the settings on standard input, and print the findings."""
    from phoneterm_bridge.doctor.examination import examine_all
    from phoneterm_bridge.doctor.finding import as_fields
    from phoneterm_bridge.wording.logs import set_up_logs

    settings: BridgeSettings = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - the bridge itself has sent it
    set_up_logs("console", "error")
    print(json.dumps([as_fields(one) for one in asyncio.run(examine_all(settings))]))


if __name__ == "__main__":
    main()
