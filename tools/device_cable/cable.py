"""One board at a serial port, through mpremote's transport class: runs code there, writes files, listens.

Does not know what is on the board or why. This is the only module that knows mpremote. Its transport classes are not a
stable interface, but its release is pinned. Unlike its command line they keep secrets out of the list of processes, and
distinguish failures. Nothing that is sent is printed or logged, so secrets may go through here.
Every failure is a CableProblem. Times are seconds.
"""

import contextlib
import errno
import io
import struct
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

import serial
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from device_cable.limited_port import LimitedPort, PortNeverSilent
from device_cable.problem import BoardFull, CableLost, CableProblem, DeviceFault

READ_S = 5.0
OPEN_S = 3.0
_LOOK_S = 0.1
_ATTEMPT_S = 3.0
_MOST_S = 3 * _ATTEMPT_S  # an attempt waits for three answers
_ATTEMPT_READ_S = 0.5
_CHUNK_BYTES = 512
_SILENCE_S = 0.1
_CALM_S = 3.0
_MOST_STARTS = 3  # in one attempt to take the board; opening a port restarts some boards once
_START = "rst:0x"  # the chip's ROM prints this at every start
_QUIET_MS = 10 * 60 * 1000  # a board that is left alone this long restarts, and is a terminal again

# The running terminal has started a watchdog that nobody feeds from now on. It cannot be stopped, but on the ESP32
# it takes a new timeout (the class reconfigures the running one).
# A file on the board may hide the module `machine`, so it is looked for without the file system.
_IMPORT_MACHINE = """
import sys
places = sys.path[:]
sys.path[:] = [place for place in places if place not in ("", "/", "/lib")]
import machine
sys.path[:] = places
"""
_RELAX_WATCHDOG = f"""{_IMPORT_MACHINE}
try:
    machine.WDT(timeout={_QUIET_MS}).feed()
except (AttributeError, OSError, ValueError):
    pass
"""
RESTART = f"{_IMPORT_MACHINE}\nmachine.reset()"
_ASK = b"\x02"  # a terminal answers any byte with its state, and MicroPython's prompt this one (Ctrl-B) with its name


class Cable:
    """An open port; `enter` takes the board away from the terminal, `restart` gives it back."""

    enter_s = 12.0  # how long a board may take until it reacts to `enter`

    def __init__(self, port: str) -> None:
        """Open the port; wait if another program has it open for a moment (as modem services do with new ports)."""
        self.port = port
        self._is_entered = False
        self._transport: Any = None
        deadline_s = time.monotonic() + OPEN_S
        while self._transport is None:
            try:
                self._transport = SerialTransport(port, timeout=READ_S)
            except (TransportError, OSError, ValueError):
                if time.monotonic() >= deadline_s:
                    raise CableProblem(_why_not_opened(port)) from None
                time.sleep(_LOOK_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        if self._is_entered and not (kind is not None and issubclass(kind, CableLost)):
            self._give_back()
        self.close()

    def close(self) -> None:
        """Close the port, whatever state it is in."""
        with contextlib.suppress(OSError):
            self._transport.close()
        with contextlib.suppress(OSError):  # if the board was unplugged, mpremote's own close fails and keeps the port
            self._transport.serial.close()

    def enter(self) -> None:
        """Stop the running program, empty the memory, and make the board take commands.

        From here on a failure, Ctrl-C or the end of the `with` block restarts the board. A boot.py that does not end by
        itself is stopped in the end, and then the memory is not empty.
        """
        self._is_entered = True
        began_s = time.monotonic()
        heard = _Heard()
        while True:
            is_late = time.monotonic() >= began_s + self.enter_s / 2
            try:
                self._attempt(heard, not is_late)
                return
            except (TransportError, CableLost, OSError) as error:  # a board that just begins to start does not react
                if time.monotonic() >= began_s + self.enter_s:
                    raise CableProblem(heard.describe(self.port)) from None
                if isinstance(error, OSError):  # a chip with its own USB takes its port away when it starts
                    heard.starts += 1
                    self._reopen(began_s + self.enter_s)

    def _attempt(self, heard: "_Heard", soft_reset: bool) -> None:
        """Try to take the board once, and keep what it says meanwhile."""
        said = io.StringIO()  # mpremote prints what it did not understand
        try:
            self._interrupt(heard)
            with self._limited(heard), contextlib.redirect_stdout(said):
                self._transport.enter_raw_repl(soft_reset=soft_reset, timeout_overall=_ATTEMPT_S)
            self.keep_awake()
        finally:
            heard.take(said.getvalue())

    @contextlib.contextmanager
    def _limited(self, heard: "_Heard") -> Iterator[None]:
        """Hold an attempt to its time: mpremote looks at the clock only while a port is silent."""
        port = self._transport.serial
        limited = self._transport.serial = LimitedPort(port, time.monotonic() + min(_MOST_S, self.enter_s / 2))
        port.timeout = _ATTEMPT_READ_S
        try:
            yield
        except PortNeverSilent:
            heard.take(limited.heard.decode(errors="replace"))
            heard.is_flooding = True
            raise TransportError("the port is never silent") from None
        finally:
            self._transport.serial = port
        port.timeout = READ_S

    def _interrupt(self, heard: "_Heard") -> None:
        """Silence a board that writes: mpremote would read a port that is flooded for ever."""
        self._transport.serial.timeout = _SILENCE_S
        deadline_s = time.monotonic() + min(_CALM_S, self.enter_s)
        if self._transport.serial.read(1):
            self._transport.serial.write(b"\r\x03")
        while chunk := self._transport.serial.read(4096):
            heard.take(chunk.decode(errors="replace"))
            heard.is_flooding = time.monotonic() >= deadline_s
            if heard.is_flooding:
                raise TransportError("the port is flooded")

    def keep_awake(self) -> None:
        """Set the watchdog to another ten minutes."""
        self.run(_RELAX_WATCHDOG)

    def run(self, code: str, quiet_s: float = 10.0, on_bytes: Callable[[bytes], None] | None = None) -> str:
        """Run code on the board and return what it prints; `quiet_s`: how long it may say nothing."""
        try:
            output, fault = self._transport.exec_raw(code, timeout=quiet_s, data_consumer=on_bytes)
        except (TransportError, OSError, struct.error):
            raise self._lost() from None
        if fault:
            raise _fault(fault.decode(errors="replace"))
        return output.decode(errors="replace")

    def write_file(self, path: str, content: bytes, on_written: Callable[[int], None]) -> None:
        """Write a file; `on_written` gets the number of bytes written so far."""

        def report(count: int, _: int) -> None:
            on_written(count)

        try:
            self._transport.fs_writefile(path, content, chunk_size=_CHUNK_BYTES, progress_callback=report)
        except TransportExecError as error:
            raise _fault(error.error_output) from None
        except (TransportError, serial.SerialException, struct.error):
            raise self._lost() from None
        except OSError as error:
            raise (_full() if error.errno == errno.ENOSPC else self._lost()) from None

    def restart(self) -> None:
        """Restart the board; `lines` then gives its output, and notices if it is away.

        A chip with its own USB disappears before it has answered.
        """
        self._is_entered = False
        with contextlib.suppress(TransportError, OSError, struct.error):
            self._transport.exec_raw_no_follow(RESTART)

    def lines(
        self, deadline_s: float, is_asking: bool = False, on_silence: Callable[[bool], None] = lambda _: None
    ) -> Iterator[str]:
        """Yield each line the board writes, until the monotonic time `deadline_s`; a chip with its own USB may be away.

        A port that is away is opened again as soon as it is back. `is_asking`: ask the terminal then, and at first, for
        its state; what runs on the board goes on. `on_silence` is called now and then while nothing comes, with whether
        the port is away.
        """
        rest = b""
        if is_asking:
            self._ask()
        while time.monotonic() < deadline_s:
            try:
                self._transport.serial.timeout = 0.1
                chunk = self._transport.serial.read(1)
                chunk += self._transport.serial.read(self._transport.serial.in_waiting) if chunk else b""
            except (OSError, TypeError):
                self._reopen(deadline_s, on_silence)
                if is_asking:
                    self._ask()
                continue
            if not chunk:
                on_silence(False)
            *complete, rest = (rest + chunk).split(b"\n")
            for line in complete:
                yield line.decode(errors="replace").rstrip("\r")

    def _ask(self) -> None:
        with contextlib.suppress(OSError):  # a port that has just gone away is noticed by the reader
            self._transport.serial.write(_ASK)

    def _reopen(self, deadline_s: float, on_wait: Callable[[bool], None] = lambda _: None) -> None:
        self.close()
        while True:
            try:
                self._transport = SerialTransport(self.port, timeout=READ_S)
                return
            except (TransportError, OSError):
                if time.monotonic() >= deadline_s:
                    raise self._lost() from None
            on_wait(True)
            time.sleep(_LOOK_S)

    def _give_back(self) -> None:
        """Restart a board that was not restarted yet, if possible: it is still a terminal."""
        with contextlib.suppress(TransportError, OSError, struct.error), contextlib.redirect_stdout(io.StringIO()):
            self._interrupt(_Heard())
            with self._limited(_Heard()):
                self._transport.enter_raw_repl(soft_reset=False, timeout_overall=2)
            self._transport.exec_raw_no_follow(RESTART)

    def _lost(self) -> CableLost:
        return CableLost(
            f"The board at {self.port} does not answer any more: check the cable, then run the same command again."
        )


class _Heard:
    """What a board says while it does not take commands."""

    def __init__(self) -> None:
        self.starts = 0
        self.is_flooding = False
        self._last = ""

    def take(self, text: str) -> None:
        """Count the starts in what the board said, and keep its last whole line."""
        self.starts += text.count(_START)
        lines = [line.strip() for line in text.split("\n")[1:-1] if line.strip()]
        self._last = lines[-1] if lines else self._last

    def describe(self, port: str) -> str:
        """Return why the board was not taken, in one sentence."""
        if self.starts >= _MOST_STARTS:
            return (
                f"The board at {port} starts again and again ({self.starts} times while commands were tried): its "
                "own program restarts it, or it has too little power (try another cable or socket)."
            )
        if self.is_flooding:
            return f"The board at {port} writes without a pause and takes no commands; it says {self._last[:60]!r}."
        return f"No MicroPython answers at {port}."


def _why_not_opened(port: str) -> str:
    """Say in one sentence why a port cannot be opened."""
    try:
        serial.serial_for_url(port, exclusive=True).close()
    except (serial.SerialException, OSError, ValueError) as error:
        number = getattr(error, "errno", None)
        if number == errno.EACCES:
            return f"You may not use {port}: add yourself to its group (usermod -aG dialout NAME) and log in again."
        if number == errno.ENOENT:
            return f"There is no serial port {port}: plug the board in."
        if number in (errno.EBUSY, errno.EAGAIN) or "lock" in str(error):
            return f"Another program uses {port}: close it (make logs, make repl, a serial monitor) and try again."
    return f"The port {port} cannot be opened: plug the board in anew, or name another port with PORT= (--port)."


def _fault(trace: str) -> CableProblem:
    if "ENOSPC" in trace or "OSError: 28" in trace:
        return _full()
    last = trace.strip().splitlines()[-1] if trace.strip() else "an unknown fault"
    return DeviceFault(f"The board refused ({last[:80]}).")


def _full() -> BoardFull:
    return BoardFull("The board's file system is full.")
