"""Shared by all tests: real parts or a reported skip, and a check that no process is left behind.

`make test` runs several pytest processes (workers) under one controller. All their processes carry one mark, and have
one folder for their temporary files. Once the workers have ended, the controller prints their measurements, looks for
remaining processes and removes the folder, unless a test has failed.
"""

import asyncio
import contextlib
import fcntl
import gc
import importlib
import json
import logging
import os
import shutil
import signal
import tempfile
import time
import uuid
from pathlib import Path

import hypothesis
import name_spaces
import pytest
import structlog
from browser import browser, running_browser  # noqa: F401  fixtures
from lab_parts import chip, parts, stock_modules

_HERE = Path(__file__).parent
_NOT_TO_BE_HAD = (chip.ABSENT, name_spaces.ABSENT)
_SKIPS_ALLOWED = os.environ.get("PHONETERM_SKIPS", "") != "forbidden"
_RUN_MARK = "PHONETERM_TEST_RUN"
_MARK, _FOLDER, _FIGURES, _NOTES = (pytest.StashKey() for _ in range(4))
_IN_MEMORY = Path("/dev/shm")
_MOST_FILES = 3 * 2**30  # bytes that a run may take at once, with room to spare
_WORKERS_PER_CORE = 3  # most tests wait most of the time
_TOLD_TO_MAKE = ("ARGS", "SKIPS", "MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "MAKELEVEL")


@pytest.fixture(autouse=True)
def _log_as_before():
    """Undo what a test's command has set up of the log, which is the whole process's."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.configure(**before)
    root.handlers[:], root.level = handlers, level


@pytest.fixture(scope="session")
def figures(request):
    """The times of this run, (what, where) -> milliseconds; printed at the end, never asserted."""
    return request.config.stash.setdefault(_FIGURES, {})


@pytest.fixture(scope="session")
def note(request):
    """Return a function that takes a sentence to print at the end of the run."""
    return request.config.stash.setdefault(_NOTES, []).append


@pytest.fixture(scope="session")
def make_once(request, tmp_path_factory):
    """Return a coroutine that makes a value once for all workers, and remembers it as JSON by its name."""
    folder = tmp_path_factory.getbasetemp()
    if _is_worker(request.config):
        folder = folder.parent

    async def once(name, make):
        path = folder / f"{name}.json"
        with (folder / f"{name}.lock").open("w") as lock:
            await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
            if not path.exists():
                path.write_text(json.dumps(await make()))
        return json.loads(path.read_text())

    return once


@pytest.fixture(scope="session")
def fill_once(request, tmp_path_factory):
    """Return a function that has a folder filled once for all workers, and returns it; nobody changes it later."""
    place = tmp_path_factory.getbasetemp()
    if _is_worker(request.config):
        place = place.parent

    def once(name, fill):
        folder = place / name
        with (place / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                made = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=place))
                fill(made)
                made.rename(folder)
        return folder

    return once


@pytest.fixture(scope="session")
def need_part():
    """Return a function that finds a real part by its name, or skips the test and says how to get the part."""

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
    """Return the program of an emulated ESP32, or skip the test and say how to get it."""
    try:
        return chip.find()
    except parts.PartMissing as missing:
        pytest.skip(str(missing))


def pytest_configure(config):
    """Mark the environment, so that every process started from here on can be recognised."""
    gc.disable()  # until all tests are collected: what is made until then stays
    hypothesis.settings.register_profile("shared-machine", deadline=None)  # a slow machine is not a failure
    hypothesis.settings.load_profile("shared-machine")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a shell's background; children would not hear Ctrl-C
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # ends in order too, servers and all
    if not _is_worker(config):
        os.environ[_RUN_MARK] = uuid.uuid4().hex
        for name in _TOLD_TO_MAKE:  # for this run, not for a make that a test starts
            os.environ.pop(name, None)
        config.stash[_FOLDER] = _make_folder()
        if config.option.basetemp is None:
            config.option.basetemp = config.stash[_FOLDER] / "tests"
    config.stash[_MARK] = f"{_RUN_MARK}={os.environ[_RUN_MARK]}".encode()


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session):
    """Compile a share of the tests that nobody has compiled yet: each worker would compile all of them."""
    if not _is_worker(session.config):
        return
    worker = session.config.workerinput
    for path in sorted(_HERE.rglob("test_*.py"))[int(worker["workerid"].removeprefix("gw")) :: worker["workercount"]]:
        if not [*(path.parent / "__pycache__").glob(f"{path.stem}.*-pytest-*.pyc")]:
            with contextlib.suppress(Exception):  # the collection says what is wrong
                importlib.import_module(".".join(path.relative_to(_HERE).with_suffix("").parts))


def pytest_collection_finish():
    """Collect garbage from here on, but never look again at six thousand tests and all modules."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Let each worker begin with its share of the tests that last long, so that none is left for the end.

    At first a worker gets as many tests in a row as the others; it gives some of the last ones away later.
    """
    if not _is_worker(config):
        return
    shares = [[] for _ in range(config.workerinput["workercount"])]
    seconds = {item: item.get_closest_marker("lasts").args[0] for item in items if item.get_closest_marker("lasts")}
    for item in sorted(seconds, key=seconds.get, reverse=True):
        min(shares, key=lambda share: sum(map(seconds.get, share))).append(item)
    others = [item for item in items if item not in seconds]
    left = len(items)
    items.clear()
    for number, share in enumerate(shares):
        count = left // (len(shares) - number)
        left -= count
        room = max(0, count - len(share))
        items += share + others[:room]
        del others[:room]
    items += others


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """Return the number of workers for `-n auto`, and for `-n logical`, which is for tests that do not wait."""
    return os.cpu_count() * (1 if config.option.numprocesses == "logical" else _WORKERS_PER_CORE)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Take over a worker's measurements."""
    output = getattr(node, "workeroutput", {})  # missing when the worker died
    node.config.stash.setdefault(_FIGURES, {}).update(output.get("figures", ()))
    node.config.stash.setdefault(_NOTES, []).extend(output.get("notes", ()))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Make a skip a failure where skipping is forbidden, except for what nobody can install."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and not _SKIPS_ALLOWED and not report.longrepr[2].endswith(_NOT_TO_BE_HAD):
        report.outcome = "failed"
        report.longrepr = f"skipping is forbidden here: {report.longrepr[2]}"


def pytest_terminal_summary(terminalreporter, config):
    """Print notes and times, and a final list of what was not tested, with the command that would enable it."""
    notes = config.stash.get(_NOTES, [])
    if notes:
        terminalreporter.section("NOTED")
    for sentence in sorted(notes):
        terminalreporter.line(sentence)
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


@pytest.hookimpl(hookwrapper=True)
def pytest_sessionfinish(session):
    """Fail the run if a process started by it is still there after all workers have ended."""
    if _is_worker(session.config):
        session.config.workeroutput["figures"] = [*session.config.stash.get(_FIGURES, {}).items()]
        session.config.workeroutput["notes"] = session.config.stash.get(_NOTES, [])
    yield
    if _is_worker(session.config):
        return
    mark = session.config.stash[_MARK]
    deadline = time.monotonic() + 5
    while (left := _processes_left(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    if left:
        session.exitstatus = 1
        print("\nProcesses left behind by the tests:", *left, sep="\n    ")
    folder = session.config.stash[_FOLDER]
    if session.testsfailed:
        print(f"\nThe files of the tests that failed: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)


def _make_folder():
    """Make the folder for all temporary files of this run and of what it starts: in memory where there is room."""
    memory = os.statvfs(_IN_MEMORY) if os.access(_IN_MEMORY, os.W_OK) else None
    has_room = memory is not None and memory.f_bavail * memory.f_frsize >= _MOST_FILES
    folder = Path(tempfile.mkdtemp(prefix="t-", dir=_IN_MEMORY if has_room else None))
    folder.chmod(0o1777)  # some tests become another user
    os.environ["TMPDIR"], tempfile.tempdir = str(folder), None
    return folder


def _is_worker(config):
    return hasattr(config, "workerinput")


def _processes_left(mark):
    left = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = mark in (folder / "environ").read_bytes().split(b"\0")
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if is_ours and int(folder.name) != os.getpid() and command:
            left.append(f"{folder.name} {command[:150]}")
    return left
