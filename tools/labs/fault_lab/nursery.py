"""A process that has loaded the bridge's code and forks real bridges on request, so that they start at once.

Does not run a bridge itself. Requests come as JSON lines on standard input; each is answered by one line:
{"start": {"settings": [...], "log": PATH}} -> {"pid": PID}; {"wait": PID} -> {"status": NUMBER}, once it is gone.
Bridges die with this process, and this process ends with its standard input. Linux only.
"""

import asyncio
import json
import os
import signal
import sys

from lab_parts.bound_process import die_with
from phoneterm_bridge.pbx.backends import make_pbx
from phoneterm_bridge.service import Bridge
from phoneterm_bridge.settings.bridge import BridgeSettings, load_settings
from phoneterm_bridge.wording.logs import set_up_logs


def main() -> None:
    """Answer requests until standard input ends."""
    load_backend()
    children: set[int] = set()
    for line in sys.stdin:
        request = json.loads(line)
        if "start" in request:
            pid = _fork(**request["start"])
            children.add(pid)
            answer = {"pid": pid}
        else:
            _, status = os.waitpid(request["wait"], 0)
            children.discard(request["wait"])
            answer = {"status": status}
        print(json.dumps(answer), flush=True)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def load_backend() -> None:
    """Import the modules that a bridge would import only when it starts."""
    make_pbx(load_settings(None, ()))


def _fork(settings: list[str], log: str) -> int:
    """Start a bridge and return its process id; never returns in the child."""
    parent_pid = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        if die_with(parent_pid):
            _redirect(log)
            loaded = load_settings(None, tuple(settings))
            set_up_logs(loaded.log.format, loaded.log.level)
            asyncio.run(_run(loaded))
            code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def _redirect(log: str) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(null, 0)
    os.dup2(out, 1)
    os.dup2(out, 2)


async def _run(settings: BridgeSettings) -> None:
    bridge = Bridge(settings, make_pbx(settings))
    await bridge.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    main()
