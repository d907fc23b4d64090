"""What all tests share: real parts or a loud skip, and a check that no process is left behind."""

import os
import signal
import time
import uuid
from pathlib import Path

import hypothesis
import pytest
from lab_parts import chip, parts, stock_modules

_SKIPS_ALLOWED = os.environ.get("PHONETERM_SKIPS", "") != "forbidden"
_RUN_MARK = f"PHONETERM_TEST_RUN={uuid.uuid4().hex}"

_FIGURES = pytest.StashKey()


@pytest.fixture(scope="session")
def figures(request):
    """Collects times of this run, (what, where) -> milliseconds; printed at the end, never asserted."""
    return request.config.stash.setdefault(_FIGURES, {})


@pytest.fixture(scope="session")
def need_part():
    """Return a function that gives the real part of a name, or skips the test and says how to get the part."""

    def need(name):
        try:
            return parts.find(name)
        except parts.PartMissing as missing:
            pytest.skip(str(missing))

    return need


@pytest.fixture(scope="session")
def need_stock_modules():
    """Return the folder with umqtt.simple, or skip the test and say how to get it."""
    try:
        return stock_modules.find()
    except parts.PartMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def need_chip():
    """Return the program that is an emulated ESP32, or skip the test and say how to get it."""
    try:
        return chip.find()
    except parts.PartMissing as missing:
        pytest.skip(str(missing))


def pytest_configure(config):
    """Mark the environment, so that every process started from here on can be told from others."""
    hypothesis.settings.register_profile("shared-machine", deadline=None)  # a slow machine is not a failure
    hypothesis.settings.load_profile("shared-machine")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a shell's background; children would not hear Ctrl-C
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # ends in order too, servers and all
    name, _, value = _RUN_MARK.partition("=")
    os.environ[name] = value


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Make a skip a failure where skipping is forbidden, but for the emulated chip, which nobody can install."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and not _SKIPS_ALLOWED and not report.longrepr[2].endswith(chip.ABSENT):
        report.outcome = "failed"
        report.longrepr = f"skipping is forbidden here: {report.longrepr[2]}"


def pytest_terminal_summary(terminalreporter, config):
    """Print the times, and one closing list of what was not tested with the command that would enable it."""
    figures = config.stash.get(_FIGURES, {})
    if figures:
        terminalreporter.section("TIMES ON THIS MACHINE, IN MS")
    for (what, where), value_ms in figures.items():
        terminalreporter.line(f"{value_ms:8.1f}  {what} ({where})")
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    terminalreporter.section("NOT TESTED")
    reasons = {}
    for report in skipped:
        reasons.setdefault(report.longrepr[2].removeprefix("Skipped: "), []).append(report.nodeid)
    for reason, names in reasons.items():
        terminalreporter.line(f"{len(names)} tests: {reason}")
        for name in names:
            terminalreporter.line(f"    {name}")


def pytest_sessionfinish(session, exitstatus):
    """Fail the run when a process started by it is still there."""
    left = _processes_left()
    deadline = time.monotonic() + 5
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = _processes_left()
    if left:
        session.exitstatus = 1
        print("\nProcesses left behind by the tests:", *left, sep="\n    ")


def _processes_left():
    left = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = _RUN_MARK.encode() in (folder / "environ").read_bytes().split(b"\0")
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if is_ours and int(folder.name) != os.getpid() and command:
            left.append(f"{folder.name} {command[:150]}")
    return left
