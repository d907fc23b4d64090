"""Tests a board with somebody at its keypad: figures that only a board can give, and the expected values.

Does not print or ask; the caller is told which key to ask for. The measuring scripts in `vm/` run on the board, with
the firmware that is on it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from device_cable.cable import Cable
from device_cable.problem import CableProblem, DeviceFault

_SCRIPTS = Path(__file__).parent / "vm"
_QUIET_S = 30.0

# Facts in words about the firmware and the chip.
FACTS = ("firmware", "reset_cause")

# Figure: (unit, expected value). "Emulated": this test's result on an emulated ESP32 with MicroPython 1.27 at 160 MHz,
# an open network and the firmware as files; its memory is a chip's, its times are close to a chip's.
COMPARED_WITH = {
    "frequency_mhz": ("MHz", "240, or 160 where the chip has no more"),
    "loop_ms": ("ms", "emulated: 118; counting to 100,000"),
    "load_ms": ("ms", "emulated: 5000 to 14000; less where the firmware is frozen in"),
    "heap_used_empty_bytes": ("bytes", "emulated: 9800; MicroPython's own heap, before the firmware is loaded"),
    "heap_used_loaded_bytes": ("bytes", "emulated: 81500 once the terminal is ready"),
    "idf_free_empty_bytes": ("bytes", "emulated: 143400, and 94000 once Wi-Fi has run"),
    "idf_largest_empty_bytes": ("bytes", "emulated: 110600; what MicroPython's heap can grow by, about"),
    "idf_free_loaded_bytes": ("bytes", "emulated: 79800, and 34800 once Wi-Fi has run"),
    "idf_largest_loaded_bytes": ("bytes", "emulated: 53200"),
    "idf_free_joined_bytes": ("bytes", "emulated: 98000; the firmware is not loaded here"),
    "idf_free_connected_bytes": ("bytes", "emulated: 93900, and 68200 with TLS"),
    "idf_least_bytes": ("bytes", "emulated: 91700, and 62100 with TLS; the least since the start"),
    "wait_median_us": ("us", "emulated: 10000; asyncio.sleep_ms(1), which ends with a tick of the system"),
    "wait_longest_us": ("us", "emulated: 16500"),
    "probe_us": ("us", "emulated: 107; must stay below 2000"),
    "scan_us": ("us", "emulated: 278; must stay below 1000"),
    "look_garbage_bytes": ("bytes", "0: a look at the keypad allocates nothing"),
    "display_answers": ("", "1: it is plugged in; with 0 the next three are of a bus that only takes the time"),
    "display_step_ms": ("ms", "3: the other tasks wait so long; on an emulated chip 2.6"),
    "display_steps": ("", "8: two lines whole"),
    "display_garbage_bytes": ("bytes", "0: showing allocates nothing"),
    "rows_low": ("rows", "0: each row is pulled up while another one is read"),
    "flash_write_ms": ("ms", "none: an emulated chip cannot tell; 16 KiB into a file"),
    "flash_read_ms": ("ms", "none: an emulated chip cannot tell; the same file"),
    "wifi_ms": ("ms", "emulated: 1350 without a password; the firmware gives up after 15000"),
    "rssi_dbm": ("dBm", "-75: below that a network is unreliable"),
    "connect_ms": ("ms", "emulated: 39; with TLS and sign-in the firmware gives up after 10000"),
    "tls_ms": ("ms", "emulated: 1120, certificates of P-256; the connect limit allows for 3000"),
}


@dataclass
class Findings:
    """All results; keys: legend -> "ok" or what happened instead."""

    figures: dict[str, float] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Say whether every key worked, and nothing failed."""
        return not self.problems and all(word == "ok" for word in self.keys.values())


def measure_figures(cable: Cable, findings: Findings) -> str:
    """Measure what needs nobody at the board; return the keys' legends. The board is then ready for `try_key`."""
    lines = _run(cable, "smoke_figures.py")
    legends = next((text for name, text in lines if name == "legends"), "")
    if not legends:
        raise CableProblem("The board's firmware does not say what its keys are: make flash BOARD= PORT= first.")
    _add_lines(findings, lines)
    _add_lines(findings, _run(cable, "smoke_display.py"))
    return legends


def try_keys(cable: Cable, legends: str, wait_s: float, findings: Findings, ask: Callable[[str], None]) -> None:
    """Ask for each key once, through `ask`, and check it."""
    for index, legend in enumerate(legends):
        ask(legend)
        cable.keep_awake()
        seen, presses = map(int, cable.run(f"await_key({int(wait_s * 1000)})", wait_s + _QUIET_S).split())
        findings.keys[legend] = _judge(legends, index, seen, presses)


def measure_network(cable: Cable, findings: Findings) -> None:
    """Measure Wi-Fi, connection and TLS with the settings on the board."""
    cable.keep_awake()
    _add_lines(findings, _run(cable, "smoke_network.py"))


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


def _add_lines(findings: Findings, lines: list[tuple[str, str]]) -> None:
    for name, text in lines:
        if name in COMPARED_WITH:
            findings.figures[name] = float(text)
        elif name in FACTS:
            findings.facts[name] = text
        elif name == "problem":
            findings.problems.append(text)
