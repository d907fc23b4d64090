"""The debouncing rules of other firmwares, reimplemented from their behaviour, to compare with ours in one bench.

Does not contain their code. Each runs with its usual period and defaults, and has the interface of our scanner:
`poll(elapsed_us)`, `changes`, `wait_ms`. Each class names its original and says where it differs.
"""

from phoneterm.core import debounce
from phoneterm.core.scanner import Scanner

from keypad_lab.replay import TraceMatrix

_KEYS = range(16)


class _Peer:
    """Common to all peers: a full scan every `wait_ms`, and a list of changes."""

    wait_ms = 1

    def __init__(self, matrix: TraceMatrix) -> None:
        self.changes = bytearray(32)
        self._matrix = matrix
        self._count = 0
        self._now_us = 0

    def poll(self, elapsed_us: int) -> int:
        """Take one sample; return how many changes it made."""
        self._now_us += elapsed_us
        self._count = 0
        self._sample(self._matrix.scan(), elapsed_us)
        return self._count

    def _sample(self, contacts: int, elapsed_us: int) -> None:
        raise ValueError("a peer must say what a sample does")

    def _report(self, index: int, is_pressed: bool) -> None:
        self.changes[self._count] = index | (debounce.PRESSED if is_pressed else 0)
        self._count += 1


class EsphomeMatrixKeypad(_Peer):
    """ESPHome matrix_keypad: one key at a time; a sample with two keys is thrown away; 16 ms loop.

    A key counts once it is the only one for one more loop; the keypad is free again in the first empty sample.
    """

    wait_ms = 16

    def __init__(self, matrix: TraceMatrix) -> None:
        super().__init__(matrix)
        self._seen = -1
        self._pressed = -1

    def _sample(self, contacts: int, elapsed_us: int) -> None:
        if contacts & (contacts - 1):
            return
        only = contacts.bit_length() - 1
        if only != self._seen:
            if self._pressed >= 0:
                self._report(self._pressed, False)
                self._pressed = -1
            self._seen = only
        elif only >= 0 and self._pressed != only:
            self._pressed = only
            self._report(only, True)


class CircuitPythonKeyMatrix(_Peer):
    """CircuitPython keypad.KeyMatrix: believes every sample, but takes one only every 20 ms."""

    wait_ms = 20

    def __init__(self, matrix: TraceMatrix) -> None:
        super().__init__(matrix)
        self._held = 0

    def _sample(self, contacts: int, elapsed_us: int) -> None:
        for index in _KEYS:
            if (contacts ^ self._held) >> index & 1:
                self._report(index, bool(contacts >> index & 1))
        self._held = contacts


class ArduinoKeypad(CircuitPythonKeyMatrix):
    """Arduino Keypad 3.1: believes every sample, one each time that more than 10 ms have passed; ten keys at most."""

    wait_ms = 11

    def _sample(self, contacts: int, elapsed_us: int) -> None:
        while contacts.bit_count() > 10:
            contacts &= contacts - 1
        super()._sample(contacts, elapsed_us)


class AcceptFirst(_Peer):
    """The usual home-made rule: believe the first sample that differs, then ignore that key for 50 ms."""

    _LOCKED_US = 50_000

    def __init__(self, matrix: TraceMatrix) -> None:
        super().__init__(matrix)
        self._held = 0
        self._locked_until_us = [0] * 16

    def _sample(self, contacts: int, elapsed_us: int) -> None:
        for index in _KEYS:
            if (contacts ^ self._held) >> index & 1 and self._now_us >= self._locked_until_us[index]:
                self._held ^= 1 << index
                self._locked_until_us[index] = self._now_us + self._LOCKED_US
                self._report(index, bool(self._held >> index & 1))


class QmkAsymEagerDefer(_Peer):
    """QMK asym_eager_defer_pk: a press at the first sample, then deaf for 5 ms; a release after 5 ms open."""

    _DEBOUNCE_US = 5_000

    def __init__(self, matrix: TraceMatrix) -> None:
        super().__init__(matrix)
        self._held = 0
        self._deaf_us = [0] * 16
        self._open_us = [0] * 16

    def _sample(self, contacts: int, elapsed_us: int) -> None:
        for index in _KEYS:
            key = 1 << index
            self._deaf_us[index] = max(0, self._deaf_us[index] - elapsed_us)
            if not self._held & key:
                if contacts & key and not self._deaf_us[index]:
                    self._held |= key
                    self._deaf_us[index] = self._DEBOUNCE_US
                    self._open_us[index] = 0
                    self._report(index, True)
            elif contacts & key or self._deaf_us[index]:
                self._open_us[index] = 0
            else:
                self._open_us[index] += elapsed_us
                if self._open_us[index] >= self._DEBOUNCE_US:
                    self._held &= ~key
                    self._report(index, False)


class ZmkIntegrator(_Peer):
    """ZMK: a counter of milliseconds up while the sample differs, down while it agrees; changes after 5 ms."""

    _FLIP_MS = 5

    def __init__(self, matrix: TraceMatrix) -> None:
        super().__init__(matrix)
        self._held = 0
        self._counters = [0] * 16

    def _sample(self, contacts: int, elapsed_us: int) -> None:
        elapsed_ms = elapsed_us // 1000
        for index in _KEYS:
            if not (contacts ^ self._held) >> index & 1:
                self._counters[index] = max(0, self._counters[index] - elapsed_ms)
            elif self._counters[index] < self._FLIP_MS:
                self._counters[index] += elapsed_ms
            else:
                self._held ^= 1 << index
                self._counters[index] = 0
                self._report(index, bool(self._held >> index & 1))


def unhurried_scanner(matrix: TraceMatrix) -> Scanner:
    """Return our own scanner without fast sampling: every 4 ms, whatever happens."""
    return Scanner(matrix, debounce.Debouncer(), idle_ms=4, fast_ms=4)


PEERS = {
    "ESPHome matrix_keypad": EsphomeMatrixKeypad,
    "CircuitPython KeyMatrix": CircuitPythonKeyMatrix,
    "Arduino Keypad": ArduinoKeypad,
    "accept first, 50 ms lock-out": AcceptFirst,
    "QMK asym_eager_defer_pk": QmkAsymEagerDefer,
    "ZMK integrator 5/5 ms": ZmkIntegrator,
    "ours, every 4 ms": unhurried_scanner,
}
