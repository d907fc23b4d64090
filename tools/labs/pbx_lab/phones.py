"""The lab's SIP phones: SIPp processes that answer, ring, refuse and call.

Does not know the PBX's channels. One process plays every phone of one behaviour; each placed call is a process.
"""

import asyncio
import itertools
import socket
from pathlib import Path

from lab_parts.free_port import free_port
from lab_parts.parts import Part

from pbx_lab.config_files import fill_in
from pbx_lab.guard import Guard
from pbx_lab.process import LabFailed, LabProcess, start_process

SCENARIOS = Path(__file__).parent / "scenarios"
READY_S = 10.0
LOOK_EVERY_S = 0.01
TALKING = "talking.part"
CALLERS = "<sip:[caller]@127.0.0.1>"  # the From of a phone that called; a called phone shows the number that was called
CALLED = "[$own]"
SILENCE = bytes((0xFF, 0x7F)) * 4000  # one second of G.711 mu-law


class Phones:
    """All SIPp processes of one lab."""

    def __init__(self, part: Part, pbx_port: int, guard: Guard) -> None:
        """Keep what is needed to start SIPp; nothing is started yet."""
        self._part = part
        self._pbx_port = pbx_port
        self._guard = guard
        self._folder = Path()
        self._ports: dict[str, int] = {}
        self._processes: list[LabProcess] = []
        self._numbers = itertools.count(1)

    def start(self) -> None:
        """Put the scenarios where SIPp sees them."""
        self._folder = self._part.make_folder()
        self._guard.watch_folder(self._folder)
        voice = self._folder / "voice.ulaw"
        voice.write_bytes(SILENCE)
        for scenario in SCENARIOS.glob("*.xml"):
            values = {"voice": self._part.inside(voice), "from": CALLERS if scenario.stem == "call" else CALLED}
            talking = fill_in((SCENARIOS / TALKING).read_text(), values)
            (self._folder / scenario.name).write_text(fill_in(scenario.read_text(), {"talking": talking}))

    async def stop(self) -> None:
        """End every SIPp."""
        await asyncio.gather(*(process.stop() for process in self._processes if process.is_running))
        self._processes.clear()
        self._ports.clear()

    async def port_of(self, behaviour: str) -> int:
        """Return the UDP port of phones with this behaviour; its scenario is started the first time."""
        if behaviour not in self._ports:
            port = free_port(socket.SOCK_DGRAM)
            process = await self._start_sipp(behaviour, port, [])
            await self._wait_until_listening(process, port)
            self._ports[behaviour] = port
        return self._ports[behaviour]

    async def call(self, caller: str, callee: str) -> LabProcess:
        """Have a phone call a number; returns its process at once."""
        port = free_port(socket.SOCK_DGRAM)
        self._processes = [process for process in self._processes if process.is_running]
        options = ["-m", "1", "-s", callee, "-key", "caller", caller, f"127.0.0.1:{self._pbx_port}"]
        return await self._start_sipp("call", port, options)

    async def _start_sipp(self, scenario: str, port: int, options: list[str]) -> LabProcess:
        inside = self._part.inside(self._folder)
        argv = [
            *self._part.argv, "-sf", f"{inside}/{scenario}.xml", "-i", "127.0.0.1", "-p", str(port),
            "-ci", "127.0.0.1", "-mi", "127.0.0.1", "-nostdin", "-nd",
            "-trace_err", "-error_file", f"{inside}/{scenario}-{port}.errors", *options,
        ]  # fmt: skip
        output = self._folder / f"{scenario}-{next(self._numbers)}.out"
        process = await start_process(f"sipp {scenario}", argv, output, self._guard)
        self._processes.append(process)
        return process

    async def _wait_until_listening(self, process: LabProcess, port: int) -> None:
        deadline = asyncio.get_running_loop().time() + READY_S
        while not _is_udp_port_bound(port):
            if not process.is_running:
                raise LabFailed(f"{process.name} ended at once: {process.last_line()}")
            if asyncio.get_running_loop().time() > deadline:
                raise LabFailed(f"{process.name} did not open its port within {READY_S:.0f} s.")
            await asyncio.sleep(LOOK_EVERY_S)


def _is_udp_port_bound(port: int) -> bool:
    """Say whether this UDP port of 127.0.0.1 is in use (Linux)."""
    wanted = f"0100007F:{port:04X}"
    return any(wanted in line for line in Path("/proc/net/udp").read_text().splitlines())
