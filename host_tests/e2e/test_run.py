"""`phoneterm run` as a newcomer uses it: keys move calls, Ctrl-C ends all it started, a port may be taken."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
from desk_lab.starting import do_unless
from hangups import hear_hangups
from keying import HEARD_S, MOST_TRIES
from lab_parts.free_port import free_port, free_ports
from lab_parts.kept_waiting import LEAST_WAIT_MS, kept_waiting_ms
from left_running import left_running

from e2e.hand import REST_S

_COMMAND = Path(sys.executable).with_name("phoneterm")
_DEADLINE_S = 90  # a busy computer may need it; a wait ends as soon as the text is printed


class Silence(AssertionError):
    """What was waited for did not come."""


class Run:
    """One `phoneterm run` with its own ports; everything it prints is in `printed`."""

    def __init__(self, process):
        self.process = process
        self.printed = ""
        self._seen = 0  # how much of it has been waited for

    async def until(self, *texts, deadline_s=_DEADLINE_S):
        """Wait for one of these outputs after the last one waited for; return which came first."""
        try:
            async with asyncio.timeout(deadline_s):
                while not any(text in self.printed[self._seen :] for text in texts):
                    chunk = await self.process.stdout.read(4096)
                    assert chunk, f"ended without {texts}: {self.printed}"
                    self.printed += chunk.decode()
        except TimeoutError:
            raise Silence(f"{texts} did not come: {self.printed}") from None
        places = {self.printed.find(text, self._seen): text for text in texts}
        place, text = min((place, text) for place, text in places.items() if place >= 0)
        self._seen = place + len(text)
        return text

    async def key(self, keys, shown):
        """Type keys until their effect is printed."""

        async def is_shown():
            return await self.until(shown, "phone: refused-number", deadline_s=HEARD_S) == shown

        await self.key_until(keys, is_shown)

    async def key_until(self, keys, is_shown):
        """Type keys until their effect is shown: again where the computer kept the phone from seeing one of them."""
        phone = self._find_phone()
        for _ in range(MOST_TRIES):
            before_ms = kept_waiting_ms(phone)
            self.enter(keys)
            with contextlib.suppress(Silence):  # it has heard none of them, or the first one not
                if await is_shown():
                    return
            assert kept_waiting_ms(phone) - before_ms >= LEAST_WAIT_MS, f"the phone missed a key: {self.printed}"
            await asyncio.sleep(REST_S)
        raise AssertionError(f"the phone has not heard {keys}, though it was keyed {MOST_TRIES} times")

    def _find_phone(self):
        """Return the process id of the virtual phone's firmware."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return next(child.pid for child in children if any("vm_process" in word for word in child.cmdline()))

    async def page(self):
        """Return the status of the page, asked for by the address that was printed, and whether it is the right one."""
        status, text = await self.page_text()
        return status, "<title>Phone 101</title>" in text

    async def page_text(self):
        """Return the status of the page and what it says."""
        address = re.search(r"page +(http://127\.0\.0\.1:[0-9]+)(/open/\S+)", self.printed)
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

        def open_it():
            with opener.open(address[1] + address[2], timeout=_DEADLINE_S) as answer:
                return answer.status, answer.read().decode()

        return await asyncio.to_thread(open_it)

    def enter(self, line):
        """Type a line."""
        self.process.stdin.write(line.encode() + b"\n")


@contextlib.asynccontextmanager
async def running(*arguments, stdin=asyncio.subprocess.PIPE, shell=None, **environment):
    """Start `phoneterm run`, by way of a shell's line if there is one, and make sure that it is gone afterwards."""
    names = ("--broker-port", "--control-port", "--page-port")
    ports = [word for pair in zip(names, map(str, free_ports(len(names))), strict=True) for word in pair]
    process = await asyncio.create_subprocess_exec(
        *(("bash", "-c", shell) if shell else ()), _COMMAND, "run", *ports, *arguments,
        stdin=stdin, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env=dict(os.environ, PYTHONUNBUFFERED="1", **environment),
        preexec_fn=hear_hangups,
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
        await run.key("#1102", "102 talks to 103; 103 talks to 102")
        await run.until("phone: ready")
        run.enter("hang up 103")
        await run.until("calls: none")
        run.enter("call")
        await run.until("101 talks to 103; 103 talks to 101")
        await run.key("*2102", "101 talks to 102; 102 talks to 101; 103 is on hold")
        run.enter("hang up")
        await run.until("102 talks to 103; 103 talks to 102")
        run.process.send_signal(signal.SIGINT)
        await run.until("Stopped.")
        assert await run.process.wait() == 0
        alive = await asyncio.to_thread(left_running, children, _DEADLINE_S)
        assert not alive


async def test_the_settings_that_it_prints_let_the_doctor_look_at_what_runs():
    async with running("--pbx", "voipnow", "--set", "voipnow.attended=composed") as run:
        await run.until("*2102      put the caller on hold and call 102, once 101 has picked up")
        path = re.search(r"phoneterm doctor --config (\S+)", run.printed)[1]
        doctor = await asyncio.create_subprocess_exec(
            _COMMAND, "doctor", "--config", path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said = (await doctor.communicate())[0].decode()
        assert "is there and gives the bridge's app a token" in said, said
        assert "each colleague is rung twice" in said, said
        assert doctor.returncode == 0, said
        run.enter("quit")
        assert await run.process.wait() == 0


async def test_a_newcomer_sees_a_caller_move_at_the_stand_in_of_voipnow():
    async with running("--pbx", "voipnow") as run:
        await run.until("PBX     voipnow, UnifiedAPI at https://127.0.0.1:")
        await run.until("*2102      is refused: this PBX has no attended transfer")
        await run.until("101 talks to 103")
        await run.key("#1102", "102 talks to 103; 103 talks to 102")
        await run.until("phone: ready")
        run.enter("hang up 103")
        await run.until("calls: none")
        run.enter("call")
        await run.until("101 talks to 103; 103 talks to 101")
        await run.key("*2102", "phone: unsupported")
        await run.until("phone: ready")
        run.enter("deny")  # asks the stand-in, which has the permission
        await run.key("#1102", "phone: refused-permission")
        run.enter("quit")
        await run.until("Stopped.")
        assert await run.process.wait() == 0


async def test_denied_keys_are_refused_and_a_line_that_means_nothing_gets_one_sentence():
    async with running() as run:
        await run.until("Type keys and Enter")
        run.enter("deny")
        run.enter("make tea")
        await run.until("'make tea' is neither keys nor a command: 'help' lists them.")
        await run.key("#1102", "phone: refused-permission")
        run.enter("quit")
        await run.until("Stopped.")
        assert await run.process.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_without_any_input_the_page_is_served_until_a_signal_ends_everything(number):
    async with running(stdin=asyncio.subprocess.DEVNULL) as run:
        await run.until(
            "Standard input is no terminal: its lines count all the same, and when they end, the page goes on"
        )
        await run.until("The input has ended. Everything goes on, the page too, until Ctrl-C or SIGTERM stops it.")
        assert await run.page() == (200, True)
        children = psutil.Process(run.process.pid).children(recursive=True)
        assert children
        run.process.send_signal(number)
        await run.until("Stopped.")
        assert await run.process.wait() == 0
        alive = await asyncio.to_thread(left_running, children, _DEADLINE_S)
        assert not alive


async def test_the_operators_console_is_there_too_when_it_is_enabled():
    async with running("--set", "console.enabled=true", "--set", "console.port=0") as run:
        await run.until("help       everything else")
        link = re.search(r"console +(http://127\.0\.0\.1:[0-9]+/setup/\S+)", run.printed)[1]

        def open_it():
            with urllib.request.urlopen(link, timeout=_DEADLINE_S) as answer:
                return answer.read().decode()

        assert "The first account" in await asyncio.to_thread(open_it)
        run.enter("quit")
        await run.until("Stopped.")


async def test_after_the_last_line_of_a_pipe_the_page_goes_on():
    async with running() as run:
        await run.until("Type keys and Enter")
        run.enter("hang up 103")
        await run.until("calls: none")
        run.process.stdin.write_eof()
        await run.until("The input has ended.")
        assert await run.page() == (200, True)
        run.process.terminate()
        await run.until("Stopped.")


@pytest.mark.parametrize("given", ["closed", "bytes", "without end", "one line without end"])
async def test_whatever_standard_input_is_the_page_is_served(given, tmp_path):
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x1b[31m\n\x00\n")
    sources = {
        "closed": "<&-", "bytes": f"<{tmp_path / 'bytes'}", "without end": "< <(yes state)",
        "one line without end": "</dev/zero",
    }  # fmt: skip
    async with running(shell=f'exec "$0" "$@" {sources[given]}') as run:
        await run.until("help       everything else")
        if given == "bytes":
            await run.until("'\ufffd\ufffd\\x1b[31m' is neither keys nor a command")
        reading = asyncio.create_task(run.process.stdout.read())
        assert await run.page() == (200, True)
        assert psutil.Process(run.process.pid).memory_info().rss < 300 * 1024 * 1024
        run.process.terminate()
        said = run.printed + (await reading).decode()
        assert "Stopped." in said
        assert "Traceback" not in said


async def test_when_nobody_reads_what_it_says_the_page_goes_on(tmp_path):
    async with running(shell=f'exec "$0" "$@" 2>{tmp_path / "errors"}') as run:
        await run.until("help       everything else")
        run.process.stdout._transport.close()

        async def is_consulting():
            deadline_s = time.monotonic() + HEARD_S
            while ">consulting<" not in (await run.page_text())[1]:  # the page is all that there is
                if time.monotonic() > deadline_s:
                    return False
                await asyncio.sleep(0.1)
            return True

        await run.key_until("*2102", is_consulting)
        run.process.terminate()
        await run.process.wait()
    assert "Traceback" not in (tmp_path / "errors").read_text()


async def test_a_terminal_that_is_closed_ends_everything():
    near, far = os.openpty()
    async with running(stdin=far, TERM="dumb") as run:
        os.close(far)
        await run.until("help       everything else")
        children = psutil.Process(run.process.pid).children(recursive=True)
        folder = Path(re.search(r"--config (\S+)/", run.printed)[1])
        assert children
        os.close(near)
        for _ in range(2):  # a shell says it, too
            run.process.send_signal(signal.SIGHUP)
        await run.until("Stopped.")
        assert await run.process.wait() == 0
        alive = await asyncio.to_thread(left_running, children, _DEADLINE_S)
        assert (alive, await asyncio.to_thread(folder.exists)) == ([], False)


async def test_a_prompt_that_swallows_the_end_is_ended_all_the_same():
    """As prompt_toolkit does where a terminal closes and says so while its prompt ends."""

    async def work():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    is_to_stop = asyncio.Event()
    asyncio.get_running_loop().call_soon(is_to_stop.set)
    with pytest.raises(asyncio.CancelledError):
        await do_unless(is_to_stop, work(), again_s=0.1)


async def test_under_nohup_a_terminal_that_is_closed_ends_nothing():
    async with running(stdin=asyncio.subprocess.DEVNULL, shell='trap "" HUP; exec "$0" "$@"') as run:
        await run.until("The input has ended.")
        run.process.send_signal(signal.SIGHUP)
        assert await run.page() == (200, True)
        run.process.terminate()
        await run.until("Stopped.")


def wait_for_line(path):
    """Return the line of a file that another program makes."""
    deadline_s = time.monotonic() + _DEADLINE_S
    while not path.exists():
        assert time.monotonic() < deadline_s, f"there is no {path}"
        time.sleep(0.01)
    return path.read_text().strip()


def read_own_file(path):
    """Return a file's text, and who may do what with it or its folder."""
    return path.read_text(), path.stat().st_mode | path.parent.stat().st_mode


async def test_at_a_terminal_the_page_is_opened_in_the_browser_and_goes_on_after_the_terminals_end_of_input(tmp_path):
    told = tmp_path / "told"
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" > {told}.new; mv {told}.new {told}\n')
    program.chmod(0o700)
    near, far = os.openpty()
    try:
        async with running(stdin=far, DISPLAY=":0", BROWSER=str(program), TERM="dumb") as run:
            await run.until("  help       everything else")
            opened, address = (
                await asyncio.to_thread(wait_for_line, told),
                re.search(r"http://\S+/open/\S+", run.printed),
            )
            assert opened.startswith("file:///")  # a command line is no place for a secret
            text, mode = await asyncio.to_thread(read_own_file, Path(opened.removeprefix("file://")))
            assert f'content="0; url={address[0]}"' in text
            assert mode & 0o077 == 0
            os.write(near, b"\x04")
            await run.until("The input has ended.")
            assert await run.page() == (200, True)
            run.process.send_signal(signal.SIGINT)
            await run.until("Stopped.")
            assert await run.process.wait() == 0
    finally:
        os.close(near)
        os.close(far)


async def test_two_options_with_one_port_are_refused_in_one_sentence():
    port = str(free_port())
    async with running("--page-port", port, "--control-port", port) as run:
        output, _ = await run.process.communicate()
        assert output.decode() == f"--control-port and --page-port are both {port}: they must differ.\n"
        assert run.process.returncode == 1


@pytest.mark.parametrize("option", ["--broker-port", "--control-port", "--page-port"])
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


async def test_a_port_that_is_taken_while_everything_starts_is_named_too():
    for _ in range(MOST_TRIES):
        port = free_port()
        async with running("--control-port", str(port)) as run:
            await run.until("Starting ...")
            run.process.send_signal(signal.SIGSTOP)
            with socket.socket() as taken:
                try:
                    taken.bind(("127.0.0.1", port))
                except OSError:  # the phone has it already
                    continue
                taken.listen()
                run.process.send_signal(signal.SIGCONT)
                output, _ = await run.process.communicate()
        said = f"Port {port} cannot be used (Address already in use): choose another with --control-port."
        assert output.decode().splitlines()[-2:] == ["Stopped.", said], output
        return
    raise AssertionError(f"the phone was faster {MOST_TRIES} times")
