"""One decoder under atheris, which takes its process over: python -m fault_lab.fuzz_process NAME CHECKS OPTION...

Does not choose bounds: the options are libFuzzer's. CHECKS is a module with a dictionary CHECKS.
"""

import importlib
import sys

_INSTRUMENTED = (
    "phoneterm", "phoneterm_bridge.broker.connect_packet", "phoneterm_bridge.pbx.ami.codec",
    "phoneterm_bridge.mqtt.decoder", "fault_lab",
)  # fmt: skip


def run(name: str, checks: str, options: list[str]) -> None:
    """Fuzz until a bound is reached or the check breaks."""
    import atheris  # type: ignore

    with atheris.instrument_imports(include=[*_INSTRUMENTED, checks]):
        check = importlib.import_module(checks).CHECKS[name]
    atheris.Setup([sys.argv[0], *options], check)
    atheris.Fuzz()


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], sys.argv[3:])
