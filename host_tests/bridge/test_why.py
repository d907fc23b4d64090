"""`phoneterm why`: for every way a command can end, a sentence that a receptionist understands."""

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from attack_lab.scenery.fresh_store import open_filled_store
from phoneterm_bridge.cli.why import answer_why, read_moment, why
from phoneterm_bridge.pbx.port import Outcome
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import tables
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal import Event, Journal
from phoneterm_bridge.store.reading import read_snapshot
from phoneterm_bridge.wording.why import CAUSES, REASONS
from typer.testing import CliRunner

_FIVE_PAST_TWO = datetime(2026, 3, 2, 14, 5)
# One row, and one for each terminal: they do not grow with the journal.
_SHORT_TABLES = ("SCAN troubles", "SCAN commands_indexed", "SCAN terminals")
_ZONE = f"{_FIVE_PAST_TWO.astimezone():%Z}"
_DONE = [Event("check", "passed"), Event("result", "done")]


def refused(reason, *cause):
    return [Event("check", "refused", reason, [["a", reason, 0, *cause]]),
            Event("result", "rejected", reason)]  # fmt: skip


@pytest.fixture
def engine(tmp_path):
    """A store with extension 101 of tech1 and extension 102 without a terminal."""
    engine, _ = open_filled_store(tmp_path / "bridge.db", add_extensions)
    yield engine
    engine.dispose()


def add_extensions(engine):
    directory = Directory(engine, "cli:anna", "host pc7")
    directory.add_user("tech1", True)
    for number in ("101", "102"):
        directory.add_extension(number, "tech1")
    directory.add_terminal("phone-101", "101")


@pytest.fixture
def journalled(engine):
    """Journal commands of 101: each is (local time, op, events)."""

    def write(*commands):
        terminal = read_snapshot(engine).terminals["phone-101"]

        async def write_all():
            journal = Journal(engine)
            await journal.start()
            for index, (moment, op, events) in enumerate(commands):
                number = "102" if op in ("blind", "attended") else None
                fields = {"id": f"s.{index}", "op": op, "number": number, "call": "c1"}
                await journal.open(terminal, fields, events, int(moment.timestamp() * 1000))
            await journal.stop()

        asyncio.run(write_all())

    return write


def ask(engine, moment=_FIVE_PAST_TWO, op=None):
    return answer_why(engine, "101", moment, op)


def test_there_are_words_for_every_reason_of_the_contract():
    document = yaml.safe_load((Path(__file__).parents[2] / "firmware" / "asyncapi.yaml").read_text())
    assert set(REASONS) == set(document["components"]["schemas"]["reason"]["examples"])
    for words in (*REASONS.values(), *CAUSES.values()):
        assert words[0].islower()
        assert not words.endswith(".")


@pytest.mark.parametrize(
    ("op", "events", "sentence"),
    [
        ("blind", _DONE, "101 keyed #1 and 102. It worked: the caller was sent to 102."),
        ("attended", _DONE, "101 keyed *2 and 102. It worked: the caller was connected to 102."),
        ("cancel", _DONE, "101 asked to get the caller back. It worked: the caller was back."),
        ("blind", refused("stale"), "It did not work, because it reached the bridge too late, so it was not "
                                    "carried out; the network may have been slow."),
        ("blind", refused("unknown-number"), "It did not work, because the PBX knows no such number."),
        ("blind", refused("destination", "office-hours"),
         "It did not work, because numbers outside are only allowed during office hours."),
        ("attended", [Event("result", "accepted"), Event("result", "returned", "busy")],
         "The caller was given back, because the number was busy."),
        ("attended", [Event("result", "returned")], "The caller was given back."),
        ("attended", [Event("result", "failed")], "It did not work; the PBX gave no reason."),
        ("attended", [Event("result", "unknown")],
         "The outcome is not known: the PBX did not say, and it was not tried again."),
        ("attended", [Event("result", "ringing")], "The number is ringing, and nothing more is known yet."),
        ("attended", [Event("check", "passed")], "Nothing more is known yet."),
        (None, refused("malformed"), "101 sent a message that is not proven to come from it. It did not work, because "
                                     "the message was damaged or did not follow the contract."),
    ],
)  # fmt: skip
def test_a_result_is_one_sentence(engine, journalled, op, events, sentence):
    journalled((_FIVE_PAST_TWO, op, events))
    said = ask(engine)["sentence"]
    assert said.startswith(f"On Monday, 2 March 2026 at 14:05:00 {_ZONE}, 101 ")
    assert said.endswith(sentence)


@pytest.mark.parametrize("op", ["blind", "attended", "complete", "cancel", "swap"])
@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_one_plain_sentence_without_its_code(engine, journalled, op, reason):
    journalled((_FIVE_PAST_TWO, op, refused(reason)))
    said = ask(engine)["sentence"]
    said, _, _ = said.partition(" The last change: ")
    assert said.count(". ") == 1 and said.endswith(".") and "\n" not in said and "{" not in said
    assert f"because {REASONS[reason]}." in said
    assert "-" not in reason or reason not in said


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_says_more_than_its_reason(engine, journalled, cause):
    journalled((_FIVE_PAST_TWO, "blind", refused("destination", cause)))
    said = ask(engine)["sentence"]
    assert f"because {CAUSES[cause]}." in said
    assert "-" not in cause or cause not in said


def test_the_command_nearest_to_the_time_is_meant(engine, journalled):
    minutes = (0, 4, 9)
    journalled(*((_FIVE_PAST_TWO + timedelta(minutes=minute), "blind", _DONE) for minute in minutes))
    for asked, nearest in ((-5, "14:05:00"), (1, "14:05:00"), (3, "14:09:00"), (6, "14:09:00"), (20, "14:14:00")):
        assert nearest in ask(engine, _FIVE_PAST_TWO + timedelta(minutes=asked))["sentence"]
    assert "14:14:00" in ask(engine, None)["sentence"]


def test_only_one_operation_can_be_meant(engine, journalled):
    journalled((_FIVE_PAST_TWO, "blind", _DONE), (_FIVE_PAST_TWO + timedelta(minutes=2), "attended", _DONE))
    assert ask(engine, op="attended")["command"]["op"] == "attended"


def test_it_says_when_there_was_none_and_what_is_nearest(engine, journalled):
    answer = ask(engine)
    assert (answer["command"], answer["nearest"]) == (None, None)
    journalled((_FIVE_PAST_TWO + timedelta(hours=2), "blind", _DONE))
    answer = ask(engine)
    assert answer["command"] is None
    assert answer["nearest"]["state"] == "done"
    assert answer["sentence"].startswith("No command of 101 reached the bridge at about 14:05 on Monday, 2 March 2026;")
    assert f"The nearest one: On Monday, 2 March 2026 at 16:05:00 {_ZONE}, 101 keyed #1" in answer["sentence"]


def test_an_extension_nobody_has_is_one_sentence(engine):
    with pytest.raises(SetupProblem, match=r"There is no extension '109'\."):
        answer_why(engine, "109", None)


def test_a_missing_permission_names_who_changed_it_from_where(engine, journalled):
    Directory(engine, "cli:bert", "host pc9, from 192.0.2.7").set_multi_user_aware("tech1", False)
    journalled((datetime.now(), "blind", refused("permission", "not-multi-user-aware")))
    answer = ask(engine, None)
    assert "does not have the permission User is multi user aware. The last change: tech1, multi" in answer["sentence"]
    assert answer["sentence"].endswith("by cli:bert (host pc9, from 192.0.2.7).")
    assert answer["change"]["what"] == "multi user aware False"


async def test_a_real_refusal_tells_when_it_was_keyed_and_what_each_check_said(scene):
    terminal = await scene.terminal()
    await terminal.hello()
    now_ms = terminal.command()["since_ms"]
    assert await terminal.ask("blind", "199", first_ms=0, since_ms=now_ms) == ("rejected", "unknown-number")
    found = answer_why(scene.engine, "101", None)["command"]
    lines = {line["stage"]: line for line in found["timeline"]}
    assert lines["keyed"]["at_ms"] <= found["received_ms"] - now_ms + 50
    assert lines["keyed"]["detail"] == {"took_ms": now_ms}
    assert [(check, verdict) for check, verdict, _ in lines["check"]["detail"]] == [
        ("session", "ok"), ("fresh", "ok"), ("rate", "ok"), ("permission", "ok"), ("call", "ok"),
        ("number", "unknown-number"),
    ]  # fmt: skip
    assert [line["stage"] for line in found["timeline"]] == ["keyed", "received", "check", "result"]


async def test_a_real_transfer_that_the_pbx_refuses_is_told_to_its_end(scene, make):
    terminal = await scene.terminal()
    await terminal.hello()
    scene.pbx.outcome = Outcome("failed", "not-permitted-by-pbx")
    await terminal.ask("attended", "102")
    await make.until(lambda: "T and t" in answer_why(scene.engine, "101", None)["sentence"])


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("14:05", datetime(2026, 3, 2, 14, 5)),
        ("14:05:30", datetime(2026, 3, 2, 14, 5, 30)),
        ("15:31", datetime(2026, 3, 1, 15, 31)),  # not yet today
        ("2026-02-01 09:00", datetime(2026, 2, 1, 9, 0)),
    ],
)
def test_a_time_without_a_date_is_the_last_one(text, meant):
    assert read_moment(text, datetime(2026, 3, 2, 15, 30)) == meant


def test_a_time_that_is_still_to_come_is_refused_with_the_present_one():
    now = datetime(2026, 3, 2, 15, 30)
    for text in ("2026-03-02 15:31", "2027-01-01"):
        with pytest.raises(SetupProblem, match=rf"'{text}' is still to come: here it is 2 March 2026 at 15:30 \S+\."):
            read_moment(text, now)
    assert read_moment("15:30", now) == now


@pytest.mark.parametrize("text", ["", "noon", "25:00", "14:05x", "2026-13-01 10:00", "\x00"])
def test_a_time_that_is_none_is_one_sentence(text):
    with pytest.raises(SetupProblem, match="is not written as 14:05"):
        read_moment(text, datetime.now())


def test_the_command_line_prints_the_sentence_or_all_of_it_as_json(engine, journalled):
    import typer

    journalled((datetime.now(), "blind", _DONE))
    app = typer.Typer()
    app.command()(why)
    store = ["--set", f"store.path={engine.url.database}"]
    said = CliRunner().invoke(app, ["101", *store]).output.strip()
    answer = json.loads(CliRunner().invoke(app, ["101", "--json", "--op", "blind", *store]).output)
    assert said == answer["sentence"]
    assert answer["command"]["state"] == "done"


@pytest.mark.parametrize("moment", [_FIVE_PAST_TWO, None])
def test_the_answer_comes_from_an_index_however_long_the_journal_is(engine, moment):
    statements = []
    sa.event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2:4]))
    answer_why(engine, "101", moment, "blind")
    asked = [one for one in statements if one[0].startswith("SELECT")]
    assert any(tables.commands.name in statement for statement, _ in asked)
    with engine.connect() as connection:
        for statement, parameters in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            steps = [step[3] for step in plan if not step[3].startswith(_SHORT_TABLES)]
            by_index = ("SEARCH", "SCALAR SUBQUERY", "CORRELATED SCALAR SUBQUERY", "USE TEMP B-TREE")
            assert all(step.startswith(by_index) for step in steps), plan
