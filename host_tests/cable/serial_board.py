"""An ESP32 board at a cable, as a computer sees it: the real MicroPython behind a pseudo-terminal.

Its file system is a real littlefs in a file, its console a REPL with raw paste, Ctrl-C and soft reset; machine, network
and NVS are those of the virtual phone. It has no boot loader and no clock of its own. A tool opens `port`.
"""

import contextlib
import os
import select
import signal
import socket
import subprocess
import termios
import threading
import time
import tty
from pathlib import Path

from cable.flash_content import BLOCK_BYTES, make_flash
from cable.pty_cable import PtyCable
from virtual_phone import frames, nvs_image, vm
from virtual_phone.matrix import ContactMatrix

_HERE = Path(__file__).parent / "vm_modules"
_LOOK_MS = 2
_NO_TEXT = b"\xff"  # a byte that is in no text
_INTERRUPT_S = 0.05  # a chip that was just told to restart does that first
ESP32 = "esp32|1.29.0|Generic ESP32 module with ESP32"
WITH_PSRAM = "esp32|1.29.0|Generic ESP32 module with SPIRAM with ESP32"


class SerialBoard:
    """The board; it is unplugged after `unplug_after` bytes towards it, or when `unplug_at` is sent to it.

    `writes` counts the bytes it was sent.
    """

    def __init__(
        self, folder, uname=ESP32, blocks=512, pins="", has_micropython=True, settings=None, has_own_usb=False,
        romfs=None, mac="02005e000001", contents=None, write_log=None, mutters=b"", least_period_ms=0,
    ):  # fmt: skip
        self.flash_path = folder / "flash.img"
        if not self.flash_path.exists():
            self.flash_path.write_bytes(make_flash(contents, blocks) if contents else b"\xff" * blocks * BLOCK_BYTES)
        self._uname, self._blocks, self._pins, self._has_micropython = uname, blocks, pins, has_micropython
        self._mutters = mutters  # what the board says again and again, whatever it is told
        self._write_log = write_log  # the path of a file for everything that the flash is told
        self._romfs = romfs  # an image whose modules are part of MicroPython, like frozen ones
        self._mac = mac
        self._least_period_ms = least_period_ms  # of its timer, which looks at the keypad
        self.nvs = nvs_image.NvsImage(settings or {})
        self.matrix = ContactMatrix()
        self.unplug_after = None
        self.unplug_at = None
        self.writes = 0
        self.boots = 0
        self.sent = bytearray()  # everything sent to the board
        self.said = bytearray()  # everything received from it
        self.reports = []
        self._to_vm = bytearray()
        self._has_own_usb = has_own_usb
        self._must_replug = threading.Event()
        self._must_unplug = threading.Event()
        self._vm = self._host = self._console = None
        self._cable = PtyCable(folder, has_own_usb)
        self._environment = dict(os.environ)  # while the board lives, a command may be run with another one
        self.port = self._cable.port
        self._wake, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._live)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        if not self._thread.is_alive():
            return
        os.write(self._stop, b"x")
        self._thread.join()
        os.close(self._wake)
        os.close(self._stop)
        self._cable.close()

    def wait_for(self, text, first=0):
        """Wait until the board has printed this, from this byte of what it `said` on; fail after 20 s."""
        deadline_s = time.monotonic() + 20
        while text not in self.said[first:]:
            assert time.monotonic() < deadline_s, f"the board did not say {text!r}: {bytes(self.said)!r}"
            time.sleep(0.01)

    def replug(self):
        """Pull the cable of a board with its own USB, and plug it in again."""
        self._must_replug.set()

    def unplug(self):
        """Pull the cable for good; the board goes on running, as with a supply of its own."""
        self._must_unplug.set()

    def press(self, row, column, is_down):
        """Close or open a contact of the keypad."""
        self.matrix.set_closed(row, column, is_down)
        self._tell_chip(frames.matrix_frame(self.matrix.lows()))

    def join_wifi(self):
        """Set the station to joined."""
        self._tell_chip(frames.wifi_frame(1010))

    def _tell_chip(self, frame):
        with contextlib.suppress(OSError, AttributeError):
            self._host.sendall(frame)

    def _live(self):
        """Carry bytes between cable and chip until the test ends; a VM dies with the thread that started it."""
        if self._has_micropython:
            self._power_on("run")
        is_running = True
        while is_running:
            ready = self._wait()
            if self._must_replug.is_set():
                self._must_replug.clear()
                self._cable.replug()
                continue
            if self._must_unplug.is_set():
                self._cable.pull()
                self._must_unplug.clear()
                continue
            if self._wake in ready:
                is_running = False
            if self._cable.fd in ready:
                self._take_from_computer()
            if self._host and self._host.fileno() in ready:
                self._hear_chip()  # first: the chip's earlier actions must be known before its output is read
            if self._console in ready:
                self._pass_on()
            self._send_on()
            if self._vm is not None:
                self._feed_vm()
                if self._vm.poll() is not None:
                    self._soft_reset()
        self._power_off()

    def _wait(self):
        """Wait until there is something to read, or a moment; return the files that have it."""
        poller = select.poll()
        for source in filter(None, (self._wake, self._cable.fd, self._console, self._host)):
            poller.register(source, select.POLLIN)
        is_busy = self._to_vm or self._cable.has_unread
        return [source for source, _ in poller.poll(_LOOK_MS if is_busy else 10 * _LOOK_MS)]

    def _send_on(self):
        """Send what was kept, and what this board says anyway."""
        if self._mutters:
            self._cable.write(self._mutters)
        self._cable.flush()

    def _take_from_computer(self):
        data = self._cable.read()
        is_due = self.unplug_after is not None and self.writes + len(data) >= self.unplug_after
        if is_due or (self.unplug_at is not None and self.unplug_at in self.sent[-len(self.unplug_at) :] + data):
            self._cable.pull()
            return
        self.writes += len(data)
        self.sent += data
        if self._has_micropython:
            self._to_vm += data
            self._taken_s = time.monotonic()

    def _feed_vm(self):
        """Pass input to the VM; while it runs something, what comes before a Ctrl-C, and then the interrupt."""
        if not self._to_vm or not self._is_awake:
            return
        if termios.tcgetattr(self._console_there)[3] & termios.ISIG:
            if time.monotonic() - self._taken_s <= _INTERRUPT_S:
                return
            typed, interrupt, _ = self._to_vm.partition(b"\x03")
            with contextlib.suppress(BlockingIOError):  # a chip too drops what nobody takes
                os.write(self._console, typed)
            del self._to_vm[: len(typed) + len(interrupt)]
            if interrupt:
                self._vm.send_signal(signal.SIGINT)
        else:
            count = os.write(self._console, self._to_vm[:256])
            self._is_raw = self._is_raw and b"\x02" not in self._to_vm[:count]
            del self._to_vm[:count]

    def _pass_on(self):
        with contextlib.suppress(OSError):
            self._say(os.read(self._console, 4096))

    def _pass_on_the_rest(self):
        """Pass on all that a VM has printed before its end: the kernel hands it over a moment later, in its order."""
        os.set_blocking(self._console_there, False)
        said, is_marked = b"", False
        while not (is_marked and said.endswith(_NO_TEXT)):
            with contextlib.suppress(BlockingIOError):
                is_marked = is_marked or os.write(self._console_there, _NO_TEXT) == 1
            select.select([self._console], [], [])
            said += os.read(self._console, 4096)
        self._say(said[:-1])

    def _say(self, data):
        self.said += data
        self._is_raw = self._is_raw or b"raw REPL" in self.said[-200:]
        self._cable.write(data)

    def _hear_chip(self):
        try:
            self._heard += self._host.recv(4096)
        except OSError:
            return
        *lines, self._heard = self._heard.split(b"\n")
        for line in lines:
            report = frames.parse_report(line + b"\n")
            if report is not None:
                self._take_report(report)
                if report.name == "reset":
                    return  # the chip has started anew

    def _take_report(self, report):
        self.reports.append(report)
        if report.name == "signal" and report.fields == ("awake",):
            self._is_awake = True
        elif report.name == "nvs-set":
            self.nvs.set_hex(*report.fields)
        elif report.name == "nvs-erase":
            self.nvs.erase(*report.fields)
        elif report.name == "wifi-join":
            self.join_wifi()
        elif report.name == "reset":
            self._power_off()
            if self._has_own_usb:
                self._cable.replug()
            self._say(b"\r\nrst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n")
            self._power_on("run")

    def _soft_reset(self):
        is_at_prompt = self._is_raw
        self._power_off()
        self._say(b"MPY: soft reboot\r\n")
        self._power_on("prompt" if is_at_prompt else "run")
        if is_at_prompt:
            self._to_vm[:0] = b"\x01"

    def _power_on(self, mode):
        self.boots += 1
        self._is_raw = self._is_awake = False
        self._console, self._console_there = os.openpty()
        os.set_blocking(self._console, False)
        tty.setraw(self._console_there)
        attributes = termios.tcgetattr(self._console_there)
        attributes[3] |= termios.ISIG  # shows whether the VM runs something or reads
        termios.tcsetattr(self._console_there, termios.TCSANOW, attributes)
        self._host, there = socket.socketpair()
        there.setblocking(False)
        self._heard = b""
        arguments = (str(self.flash_path), str(self._blocks), mode, str(self._romfs or ""), str(self._write_log or ""))
        heap_kib = 1024 if "SPIRAM" in self._uname else vm.CHIP_HEAP_KIB
        script, path = _HERE / "chip_start.py", (_HERE, vm.FAKE_MODULES)
        argv, environment = vm.command(script, heap_kib, path, arguments, environment=self._environment)
        argv.insert(argv.index("-X"), "-i")
        environment |= self.nvs.environment() | {
            "TEST_UNAME": self._uname, "PHONETERM_PINS": self._pins, "PHONETERM_UNIQUE_ID": self._mac,
            "TEST_LEAST_PERIOD_MS": str(self._least_period_ms),
        }  # fmt: skip
        environment["PHONETERM_HOST_FD"] = str(there.fileno())
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), self._console_there)
        self._vm = subprocess.Popen(
            argv, env=environment, pass_fds=(there.fileno(),), start_new_session=True, cwd=_HERE, **streams
        )
        there.close()
        self._tell_chip(frames.matrix_frame(self.matrix.lows()))

    def _power_off(self):
        if self._vm is None:
            return
        self._vm.kill()
        self._vm.wait()
        self._pass_on_the_rest()
        self._host.close()
        os.close(self._console)
        os.close(self._console_there)
        self._vm = self._host = self._console = None
        self._to_vm.clear()
