"""Tries a board with somebody at its keypad: what is measured there, and what each figure is to be compared with.

Does not print or ask; the caller is told which key is wanted. The measuring scripts in `vm/` run on the board, with
the firmware that is on it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from device_cable.cable import Cable
from device_cable.problem import CableProblem, DeviceFault

_SCRIPTS = Path(__file__).parent / "vm"
_QUIET_S = 30.0

# Figure: (unit, what it is compared with). The firmware's own limits, and what the tests give it.
COMPARED_WITH = {
    "heap_all_bytes": ("bytes", "81920: what the tests leave the firmware (160 KiB on a 64-bit machine)"),
    "heap_free_bytes": ("bytes", "the same figure of the virtual phone; telemetry's heap_free later on"),
    "load_ms": ("ms", "1000: the keypad must be live within 1 s of the reset"),
    "probe_us": ("us", "2000: it is done every 2 ms while nothing is down"),
    "scan_us": ("us", "1000: it is done every 1 ms while a key is down"),
    "look_garbage_bytes": ("bytes", "0: a look at the keypad allocates nothing"),
    "display_answers": ("", "1: it is plugged in; with 0 the next three are of a bus that only takes the time"),
    "display_step_ms": ("ms", "3: the keypad waits so long; on an emulated chip 2.6"),
    "display_steps": ("", "8: two lines whole"),
    "display_garbage_bytes": ("bytes", "0: showing allocates nothing"),
    "wifi_ms": ("ms", "15000: the firmware gives up and begins anew"),
    "rssi_dbm": ("dBm", "-75: below that a network is unreliable"),
    "connect_ms": ("ms", "10000: with TLS and sign-in, the firmware gives up"),
    "tls_ms": ("ms", "3000: what the connect limit was made for"),
}


@dataclass
class Findings:
    """Everything that was measured; keys: legend -> "ok" or what happened instead."""

    figures: dict[str, float] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Say whether every key that was asked for did what it should, and nothing failed."""
        return not self.problems and all(word == "ok" for word in self.keys.values())


def measure_figures(cable: Cable, findings: Findings) -> str:
    """Measure what needs no hands; return the legends of the board's keys. The board is ready for `try_key` then."""
    lines = _run(cable, "smoke_figures.py")
    legends = next((text for name, text in lines if name == "legends"), "")
    if not legends:
        raise CableProblem("The board's firmware does not say what its keys are: make flash BOARD= PORT= first.")
    _take(findings, lines)
    _take(findings, _run(cable, "smoke_display.py"))
    return legends


def try_keys(cable: Cable, legends: str, wait_s: float, findings: Findings, ask: Callable[[str], None]) -> None:
    """Have each key pressed once; `ask` tells somebody which one."""
    for index, legend in enumerate(legends):
        ask(legend)
        cable.keep_awake()
        seen, presses = map(int, cable.run(f"await_key({int(wait_s * 1000)})", wait_s + _QUIET_S).split())
        findings.keys[legend] = _judge(legends, index, seen, presses)


def measure_network(cable: Cable, findings: Findings) -> None:
    """Measure Wi-Fi, connection and TLS with the settings on the board."""
    cable.keep_awake()
    _take(findings, _run(cable, "smoke_network.py"))


def _judge(legends: str, wanted: int, seen: int, presses: int) -> str:
    if seen < 0:
        return "not pressed"
    if seen != wanted:
        return f"came as {legends[seen]}"
    return "ok" if presses == 1 else f"came {presses} times"


def _run(cable: Cable, script: str) -> list[tuple[str, str]]:
    """Run a script on the board; return the name and the rest of each line."""
    try:
        output = cable.run((_SCRIPTS / script).read_text(encoding="utf-8"), _QUIET_S)
    except DeviceFault as fault:
        raise CableProblem(f"{fault} Is the firmware on the board? make flash BOARD= PORT= brings it.") from None
    pairs = (line.strip().partition(" ") for line in output.splitlines() if line.strip())
    return [(name, text) for name, _, text in pairs]


def _take(findings: Findings, lines: list[tuple[str, str]]) -> None:
    for name, text in lines:
        if name in COMPARED_WITH:
            findings.figures[name] = float(text)
        elif name == "problem":
            findings.problems.append(text)
