"""The host's clock was ahead and was put right: the journal's order counts, and no age is negative."""

import asyncio
import time

import pytest
from attack_lab.scenery.fresh_store import open_fresh_store
from phoneterm_bridge.cli.why import answer_why
from phoneterm_bridge.policy.site_limit import SiteLimit
from phoneterm_bridge.settings.policy import PolicySettings
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal import Event, Journal
from phoneterm_bridge.store.journal_reading import read_changes
from phoneterm_bridge.store.live_directory import LiveDirectory
from phoneterm_bridge.store.reading import read_snapshot
from phoneterm_bridge.store.transfer_ages import read_transfers

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS


class History:
    """A store that is written on a clock of a test."""

    def __init__(self, path):
        self.engine = open_fresh_store(path)
        self.now_ms = time.time_ns() // 1_000_000
        self.set(0)
        self.directory = Directory(self.engine, "cli:anna", now_ms=self.read_clock)
        self.directory.add_user("tech1", True)
        self.directory.add_extension("101", "tech1")
        self.directory.add_terminal("phone-101", "101")
        self.written = 0

    def set(self, from_now_ms):
        """Set the clock that everything is journalled with."""
        self.clock_ms = self.now_ms + from_now_ms

    def read_clock(self):
        """Return what the clock shows."""
        return self.clock_ms

    def transfer(self, number="0301234567", *events):
        """Journal a transfer that was asked of the PBX."""
        self.written += 1
        events = events or (Event("check", "passed"), Event("action", "blind"), Event("result", "done"))

        async def write():
            journal = Journal(self.engine, now_ms=self.read_clock)
            await journal.start()
            terminal = read_snapshot(self.engine).terminals["phone-101"]
            fields = {"id": f"s.{self.written}", "op": "blind", "number": number, "call": "c1"}
            await journal.open(terminal, fields, list(events), self.clock_ms)
            await journal.stop()

        asyncio.run(write())

    def minutes(self):
        """Return the ages of the transfers that count, in minutes, the oldest first."""
        found = read_transfers(self.engine, self.now_ms, _HOUR_MS)
        return [transfer.age_ms / _MINUTE_MS for transfer in reversed(found)]


@pytest.fixture
def history(tmp_path):
    """A store with the terminal phone-101."""
    history = History(tmp_path / "bridge.db")
    yield history
    history.engine.dispose()


@pytest.mark.parametrize(
    ("times_min", "ages_min"),
    [
        ([-70, -50, -10], [50, 10]),
        ([1440, 1450], [10, 0]),  # nothing shows yet how long ago
        ([1440, 1450, -30], [40, 30, 30]),
        ([1380, 1450, -30], [30, 30]),  # the first is more than an hour older than the second
        ([-50, 1440, -20, 1440, -5], [50, 20, 20, 5, 5]),  # ahead twice
        ([1440, -70], []),
        ([-10, -40], [40, 40]),  # ahead by less than has passed since
    ],
)
def test_a_transfer_is_at_least_as_old_as_what_the_journal_has_after_it(history, times_min, ages_min):
    for minutes in times_min:
        history.set(minutes * _MINUTE_MS)
        history.transfer()
    assert history.minutes() == ages_min


def test_changes_and_refused_commands_show_the_age_of_what_was_before_them_too(history):
    history.set(_DAY_MS)
    history.transfer()
    history.set(-20 * _MINUTE_MS)
    history.directory.set_multi_user_aware("tech1", True)
    assert history.minutes() == [20]


@pytest.mark.parametrize("restored_ms", [0, _DAY_MS, 2 * _DAY_MS])
def test_what_was_before_the_restoration_no_longer_counts_whatever_the_clock_said(history, restored_ms):
    history.set(_DAY_MS)
    history.transfer()
    history.directory.set_external_revoked(True, "1 within an hour")
    history.set(restored_ms)
    history.directory.set_external_revoked(False, "by hand")
    assert history.minutes() == []
    history.transfer()
    assert len(history.minutes()) == 1


class Outside:
    """A policy to which every number is outside."""

    def is_external(self, *_):
        return True


def test_a_restart_does_not_revoke_again_for_transfers_of_the_time_ahead(history):
    history.set(_DAY_MS)
    for _ in range(3):
        history.transfer()
    history.directory.set_external_revoked(True, "2 within an hour")
    history.set(0)
    history.directory.set_external_revoked(False, "by hand")

    async def restart():
        directory = LiveDirectory(history.engine)
        await directory.refresh()
        site = SiteLimit(PolicySettings(external_per_hour=2), history.engine, directory, lambda: 0.0)
        await site.recall(Outside())
        answers = [site.limits.count_external(0.0, 0) for _ in range(2)]
        await site.stop()
        return answers

    assert [asyncio.run(restart()) for _ in range(2)] == [[None, None]] * 2
    assert "restored" in read_changes(history.engine, "site", 1)[0].what


@pytest.mark.parametrize("is_indexed", [False, True])
def test_the_last_command_is_the_last_of_the_journal(history, is_indexed):
    history.set(_DAY_MS)
    history.transfer("0301")
    history.set(0)
    history.transfer("0302")
    if is_indexed:
        asyncio.run(start_and_stop(history.engine))
    assert answer_why(history.engine, "101", None)["command"]["number"] == "0302"


async def start_and_stop(engine):
    """Let a journal bring the index up to date."""
    journal = Journal(engine)
    await journal.start()
    await journal.stop()


def test_the_change_that_is_blamed_is_the_last_one_before_the_command(history):
    history.set(_DAY_MS)
    history.directory.set_multi_user_aware("tech1", False)
    history.set(0)
    refusal = Event("check", "refused", "permission", [["permission", "permission", 0, "not-multi-user-aware"]])
    history.transfer("102", refusal, Event("result", "rejected", "permission"))
    history.directory.set_multi_user_aware("tech1", True)
    assert answer_why(history.engine, "101", None)["change"]["what"] == "multi user aware False"


def test_changes_are_listed_in_the_order_in_which_they_were_made(history):
    history.set(_DAY_MS)
    history.directory.set_multi_user_aware("tech1", False)
    history.set(0)
    history.directory.set_multi_user_aware("tech1", True)
    found = [change.what for change in read_changes(history.engine, "tech1", 2)]
    assert found == ["multi user aware True", "multi user aware False"]


def test_the_lines_of_a_command_stay_in_order_when_the_clock_is_put_right_meanwhile(history):
    end = Event("result", "done", at_ms=history.now_ms - _DAY_MS)
    history.transfer("0301", Event("check", "passed"), Event("action", "blind"), end)
    lines = answer_why(history.engine, "101", None)["command"]["timeline"]
    assert [line["stage"] for line in lines] == ["received", "check", "action", "result"]
