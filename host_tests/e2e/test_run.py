"""`phoneterm run` as a newcomer uses it: keys move calls, Ctrl-C ends all it started, a port may be taken."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from pathlib import Path

import psutil
import pytest

_COMMAND = Path(sys.executable).with_name("phoneterm")
_DEADLINE_S = 30


def free_ports(count):
    """Return different free ports of loopback."""
    with contextlib.ExitStack() as probes:
        found = [probes.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [probe.getsockname()[1] for probe in found]


class Run:
    """One `phoneterm run` with its own ports; everything it prints is in `printed`."""

    def __init__(self, process):
        self.process = process
        self.printed = ""
        self._seen = 0  # how much of it has been waited for

    async def until(self, text, deadline_s=_DEADLINE_S):
        """Wait for an output after the last one waited for."""
        try:
            async with asyncio.timeout(deadline_s):
                while text not in self.printed[self._seen :]:
                    chunk = await self.process.stdout.read(4096)
                    assert chunk, f"ended without {text!r}: {self.printed}"
                    self.printed += chunk.decode()
        except TimeoutError:
            raise AssertionError(f"{text!r} did not come: {self.printed}") from None
        self._seen = self.printed.index(text, self._seen) + len(text)

    def enter(self, line):
        """Type a line."""
        self.process.stdin.write(line.encode() + b"\n")


@contextlib.asynccontextmanager
async def running(*arguments):
    """Start `phoneterm run`, and make sure that it is gone afterwards."""
    broker_port, control_port = free_ports(2)
    options = ["--broker-port", str(broker_port), "--control-port", str(control_port), *arguments]
    process = await asyncio.create_subprocess_exec(
        _COMMAND, "run", *options, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT, env=dict(os.environ, PYTHONUNBUFFERED="1"),
    )  # fmt: skip
    try:
        yield Run(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture(params=["simulator", "asterisk"])
def pbx(request, need_part):
    """Which PBX runs; the real one needs its parts."""
    if request.param == "asterisk":
        need_part("asterisk")
        need_part("sipp")
    return request.param


async def test_a_newcomer_sees_both_transfers_move_the_call_and_ctrl_c_ends_everything(pbx):
    async with running("--pbx", pbx) as run:
        await run.until("Type keys and Enter")
        await run.until("101 talks to 103")
        children = psutil.Process(run.process.pid).children(recursive=True)
        assert children
        run.enter("#1102")
        await run.until("102 talks to 103; 103 talks to 102")
        await run.until("phone: ready")
        run.enter("hang up 103")
        await run.until("calls: none")
        run.enter("call")
        await run.until("101 talks to 103; 103 talks to 101")
        run.enter("*2102")
        await run.until("101 talks to 102; 102 talks to 101; 103 is on hold")
        run.enter("hang up")
        await run.until("102 talks to 103; 103 talks to 102")
        run.process.send_signal(signal.SIGINT)
        await run.until("Stopped.")
        assert await run.process.wait() == 0
        _, alive = await asyncio.to_thread(psutil.wait_procs, children, _DEADLINE_S)
        assert not alive


async def test_a_newcomer_sees_a_caller_move_at_the_stand_in_of_voipnow():
    async with running("--pbx", "voipnow") as run:
        await run.until("PBX     voipnow, UnifiedAPI at https://127.0.0.1:")
        await run.until("*2102      is refused: this PBX has no attended transfer")
        await run.until("101 talks to 103")
        run.enter("#1102")
        await run.until("102 talks to 103; 103 talks to 102")
        await run.until("phone: ready")
        run.enter("hang up 103")
        await run.until("calls: none")
        run.enter("call")
        await run.until("101 talks to 103; 103 talks to 101")
        run.enter("*2102")
        await run.until("phone: refused-permission")
        await run.until("phone: ready")
        run.enter("deny")  # asks the stand-in, which has the permission
        run.enter("#1102")
        await run.until("phone: refused-permission")
        run.enter("quit")
        await run.until("Stopped.")
        assert await run.process.wait() == 0


async def test_denied_keys_are_refused_and_a_line_that_means_nothing_gets_one_sentence():
    async with running() as run:
        await run.until("Type keys and Enter")
        run.enter("deny")
        run.enter("make tea")
        await run.until("'make tea' is neither keys nor a command: 'help' lists them.")
        run.enter("#1102")
        await run.until("phone: refused-permission")
        run.enter("quit")
        await run.until("Stopped.")
        assert await run.process.wait() == 0


@pytest.mark.parametrize("option", ["--broker-port", "--control-port"])
async def test_a_port_that_is_taken_is_named_with_the_option_that_changes_it(option):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        async with running(option, port) as run:
            output, _ = await run.process.communicate()
            assert output.decode() == (
                f"Port {port} cannot be used (Address already in use): choose another with {option}.\n"
            )
            assert run.process.returncode == 1
