"""The load process: a crowd of terminals that a measurement controls, line by line. Run by `bench`.

Does not judge what it receives. It reads one JSON object from each line of standard input and answers each with one:
`join` (log in), `hello` (all at once), `report` (telemetry), `send` (keep some commands in flight for some time),
`leave`.
"""

import asyncio
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from phoneterm.core import messages

from bridge_lab.terminal import LoadTerminal

_JOINING_AT_ONCE = 200
PATIENCE_S = 30.0
_LOOK_S = 0.02
_EMERGENCY = (110, 112)


class Crowd:
    """All terminals of one load."""

    def __init__(self) -> None:
        self._terminals: list[LoadTerminal] = []
        self._idle: list[LoadTerminal] = []
        self._numbers = itertools.cycle(str(number) for number in range(100, 200) if number not in _EMERGENCY)
        self._is_sending = False
        self._is_even = False

    async def join(self, port: int, base: str, terminals: list[list[str]], is_bare: bool = False) -> dict:
        """Log in (tid, password, key in hex) at a broker on 127.0.0.1."""
        started_ns = time.monotonic_ns()
        for start in range(0, len(terminals), _JOINING_AT_ONCE):
            group = terminals[start : start + _JOINING_AT_ONCE]
            await asyncio.wait_for(
                asyncio.gather(*(self._join(port, base, is_bare, *one) for one in group)), PATIENCE_S
            )
        return {"seconds": (time.monotonic_ns() - started_ns) / 1e9}

    async def hello(self, patience_s: float) -> dict:
        """Let all say hello at once; return the seconds until each had its permissions, and its session."""
        for terminal in self._terminals:
            terminal.heard_ns.clear()
        started_ns = time.monotonic_ns()
        for terminal in self._terminals:
            terminal.say_hello()
        await self._until(lambda: all(messages.SESSION in one.heard_ns for one in self._terminals), patience_s)
        heard = [one.heard_ns.get(messages.PERMISSIONS) for one in self._terminals]
        times = sorted((at_ns - started_ns) / 1e9 for at_ns in heard if at_ns is not None)
        ready = sum(messages.SESSION in one.heard_ns for one in self._terminals)
        return {"permissions_s": times, "ready": ready, "terminals": len(heard), "wrong": self._wrong()}

    async def report(self) -> dict:
        """Let all send telemetry."""
        for terminal in self._terminals:
            terminal.report()
        return {}

    async def send(
        self, seconds: float, in_flight: int = 0, per_second: float = 0.0, calls_within_s: float = PATIENCE_S
    ) -> dict:
        """Keep `in_flight` commands in flight, or send evenly; return each terminal's commands, and the results.

        Each terminal must be told of its call within `calls_within_s` before that.
        """
        if not await self._until(lambda: all(one.is_talking for one in self._terminals), calls_within_s):
            return {"failed": "not every terminal was told of its call"}
        for terminal in self._terminals:
            for times in (terminal.sent, terminal.results, terminal.ended_ns):
                times.clear()
        self._idle = list(self._terminals)
        self._is_sending, self._is_even = True, bool(per_second)
        started_ns = time.monotonic_ns()
        for _ in range(in_flight):
            self._send_next()
        await (self._send_evenly(seconds, per_second) if per_second else asyncio.sleep(seconds))
        self._is_sending = False
        stopped_ns = time.monotonic_ns()
        await self._until(lambda: all(len(one.results) == len(one.sent) for one in self._terminals), PATIENCE_S)
        return self._tally(started_ns, stopped_ns)

    async def leave(self) -> dict:
        """End all connections."""
        for terminal in self._terminals:
            terminal.leave()
        self._terminals.clear()
        return {}

    async def _join(self, port: int, base: str, is_bare: bool, tid: str, password: str, key: str) -> None:
        terminal = LoadTerminal(base, tid, password, bytes.fromhex(key), self._on_end, is_bare)
        await asyncio.get_running_loop().create_connection(lambda: terminal, "127.0.0.1", port)
        await terminal.subscribed
        self._terminals.append(terminal)

    def _on_end(self, terminal: LoadTerminal) -> None:
        self._idle.append(terminal)
        if self._is_sending and not self._is_even:
            self._send_next()

    async def _send_evenly(self, seconds: float, per_second: float) -> None:
        """Send at the given rate, as long as there is an idle terminal."""
        started_s, count = time.monotonic(), 0
        while (elapsed_s := time.monotonic() - started_s) < seconds:
            while count < elapsed_s * per_second:
                count += 1
                if self._idle:
                    self._send_next()
            await asyncio.sleep(1 / per_second)

    def _send_next(self) -> None:
        """Let the terminal that has been idle longest send; one without its new call has to wait."""
        if self._idle[0].is_talking:
            self._idle.pop(0).send_command(next(self._numbers))
        else:
            asyncio.get_running_loop().call_later(_LOOK_S / 20, self._send_next)

    def _tally(self, started_ns: int, stopped_ns: int) -> dict:
        in_time = sum(at_ns <= stopped_ns for one in self._terminals for at_ns in one.ended_ns)
        results = Counter(f"{state} {reason or ''}".strip() for one in self._terminals for state, reason in one.results)
        return {
            "seconds": (stopped_ns - started_ns) / 1e9,
            "in_time": in_time,
            "results": dict(results),
            "sent": {one.tid: one.sent for one in self._terminals if one.sent},
            "wrong": self._wrong(),
        }

    def _wrong(self) -> list[str]:
        return [sentence for one in self._terminals for sentence in one.wrong][:20]

    async def _until(self, is_so: Callable[[], bool], patience_s: float) -> bool:
        deadline_s = time.monotonic() + patience_s
        while not is_so():
            if time.monotonic() > deadline_s:
                return False
            await asyncio.sleep(_LOOK_S)
        return True


async def _obey() -> None:
    crowd = Crowd()
    doers: dict[str, Callable[..., Awaitable[dict]]] = {
        "join": crowd.join, "hello": crowd.hello, "report": crowd.report, "send": crowd.send, "leave": crowd.leave,
    }  # fmt: skip
    while line := await asyncio.to_thread(sys.stdin.readline):
        order: dict[str, Any] = json.loads(line)
        answer = await doers[order.pop("do")](**order)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(_obey())
