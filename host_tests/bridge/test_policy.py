"""The policy: who may send a caller to which number, when, and how often; first as tables, then on a live bridge."""

import hmac
import json
from collections import deque
from dataclasses import replace
from datetime import datetime

import pytest
import structlog
from attack_lab.scenery.waiting import until
from phoneterm.core import messages
from phoneterm_bridge.policy.limits import HOUR_S, MINUTE_S, SITE, Limits, is_full
from phoneterm_bridge.policy.number_rules import is_emergency, is_feature_code, verdict_by_prefix
from phoneterm_bridge.policy.rules import Policy
from phoneterm_bridge.settings.bridge import load_settings
from phoneterm_bridge.settings.office_hours import is_within, read_hours
from phoneterm_bridge.settings.policy import PolicySettings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.records import TerminalRecord
from phoneterm_bridge.wording.why import CAUSES

_MAP = "internal:1xx|mailbox:*1xx|feature:7xx|emergency:8xx|national:0[1-9]x.T|international:00[1-9]x.T|mobile:20xx"
_MONDAY_NOON = datetime(2026, 3, 2, 12, 0)
_TERMINAL = TerminalRecord("phone-101", "101", "101", "internal", "term", "tech1", True, True, True, ("internal",),
                           False, b"", "")  # fmt: skip


@pytest.mark.parametrize(
    ("number", "allow", "deny", "verdict"),
    [
        ("0301234", (), (), None),
        ("0301234", ("040",), ("050",), None),
        ("0301234", ("030",), (), True),
        ("0301234", (), ("030",), False),
        ("0301234", ("030",), ("03",), True),
        ("0301234", ("03",), ("030",), False),
        ("0301234", ("030",), ("030",), False),  # a tie
        ("0301234", ("0", "0301"), ("030", "04"), True),
        ("0301234", ("0301234",), ("030123",), True),
        ("030", ("0301",), (), None),
    ],
)
def test_the_longest_prefix_counts_and_deny_wins_a_tie(number, allow, deny, verdict):
    assert verdict_by_prefix(number, allow, deny) is verdict


@pytest.mark.parametrize(
    ("number", "is_one"),
    [("112", True), ("0112", True), ("911", True), ("00112", False), ("1120", False), ("12", False), ("0", False),
     ("01120", False)],
)  # fmt: skip
def test_an_emergency_number_is_whole_or_behind_an_outside_line(number, is_one):
    assert is_emergency(number, ("112", "911"), ("0",)) is is_one


@pytest.mark.parametrize(("number", "is_one"), [("*72", True), ("700", True), ("170", False), ("1*7", False)])
def test_a_feature_code_is_told_by_its_beginning(number, is_one):
    assert is_feature_code(number, ("*", "700")) is is_one


@pytest.mark.parametrize(
    ("text", "moment", "is_open"),
    [
        ("", "2026-03-01 03:00", True),
        ("mo-fr 08:00-18:00", "2026-03-02 08:00", True),
        ("mo-fr 08:00-18:00", "2026-03-02 07:59", False),
        ("mo-fr 08:00-18:00", "2026-03-06 17:59", True),
        ("mo-fr 08:00-18:00", "2026-03-06 18:00", False),
        ("mo-fr 08:00-18:00", "2026-03-07 12:00", False),
        ("Mo-Fr 08:00-18:00, Sa 09:00-12:00", "2026-03-07 11:00", True),
        ("mo 08:00-12:00,mo 13:00-17:00", "2026-03-02 12:30", False),
        ("su 00:00-24:00", "2026-03-01 23:59", True),
    ],
)
def test_office_hours(text, moment, is_open):
    assert is_within(read_hours(text), datetime.fromisoformat(moment)) is is_open


@pytest.mark.parametrize(
    "text", ["always", "mo", "mo 8-18", "xx 08:00-18:00", "fr-mo 08:00-18:00", "mo 18:00-08:00", "mo 08:60-09:00",
             "mo 08:00-24:01", "mo 08:00-08:00", "mo-fr 08:00-18:00 x", "mo ٠٨:00-18:00"],
)  # fmt: skip
def test_office_hours_that_are_none_are_one_sentence(text):
    with pytest.raises(SetupProblem, match=r"policy\.office_hours is not right: .*office hours") as caught:
        load_settings(None, (f"policy.office_hours={text}",))
    assert "\n" not in str(caught.value)


def refusal(terminal=_TERMINAL, op="blind", number="102", moment=_MONDAY_NOON, **settings):
    found = Policy(_MAP, settings=PolicySettings(**settings)).refusal(terminal, op, number, moment)
    return None if found is None else (found.reason, found.cause)


@pytest.mark.parametrize(
    ("changes", "op", "number", "settings", "expected"),
    [
        ({}, "blind", "102", {}, None),
        ({"is_multi_user_aware": False}, "blind", "102", {}, ("permission", "not-multi-user-aware")),
        ({"extension_type": "queue"}, "blind", "102", {}, ("permission", "no-phone-terminal")),
        ({"allows_blind": False}, "blind", "102", {}, ("permission", "operation")),
        ({"allows_blind": False}, "attended", "102", {}, None),
        ({"allows_attended": False}, "cancel", None, {}, None),
        ({}, "blind", None, {}, ("bad-number", None)),
        ({}, "blind", "999", {}, ("bad-number", None)),
        ({}, "blind", "101", {}, ("self", None)),
        # Default: internal only.
        ({}, "blind", "0301234", {}, ("destination", "class")),
        ({"classes": ("internal", "national")}, "blind", "0301234", {}, None),
        ({"classes": ()}, "blind", "102", {}, ("destination", "class")),
        # Never a target, whatever is allowed.
        ({"allow_prefixes": ("1",)}, "blind", "112", {}, ("destination", "emergency")),
        ({"classes": ("national",), "allow_prefixes": ("0",)}, "blind", "0112", {}, ("destination", "emergency")),
        ({"classes": ("emergency",)}, "blind", "812", {}, ("destination", "emergency")),
        ({"classes": ("feature",)}, "blind", "712", {}, ("destination", "feature-code")),
        ({}, "blind", "170", {"features": ("17",)}, ("destination", "feature-code")),
        ({"classes": ("mailbox",)}, "blind", "*102", {}, None),
        ({"classes": ("mailbox",)}, "blind", "*102", {"features": ("*1",)}, ("destination", "feature-code")),
        ({}, "blind", "*102", {}, ("destination", "class")),
        ({}, "blind", "112", {"emergency": ()}, None),
        # Prefixes of the site and of the terminal.
        ({}, "blind", "0301234", {"allow": ("030",)}, None),
        ({"allow_prefixes": ("030",)}, "blind", "0301234", {}, None),
        ({"allow_prefixes": ("030",)}, "blind", "0301234", {"deny": ("0301",)}, ("destination", "prefix")),
        ({"allow_prefixes": ("03012",)}, "blind", "0301234", {"deny": ("0301",)}, None),
        ({"deny_prefixes": ("102",)}, "blind", "102", {}, ("destination", "prefix")),
        ({"deny_prefixes": ("030",)}, "blind", "0301234", {"allow": ("030",)}, ("destination", "prefix")),
        # External: office hours and the switch for the whole site.
        ({"classes": ("internal", "national")}, "blind", "0301234", {"office_hours": "tu 08:00-18:00"},
         ("destination", "office-hours")),
        ({}, "blind", "102", {"office_hours": "tu 08:00-18:00"}, None),
        ({"is_external_revoked": True, "allow_prefixes": ("0",)}, "blind", "0301234", {},
         ("destination", "external-revoked")),
        ({"is_external_revoked": True}, "blind", "102", {}, None),
        ({"is_external_revoked": True, "classes": ("mobile",)}, "blind", "2012",
         {"internal": ("internal", "mobile")}, None),
    ],
)  # fmt: skip
def test_what_is_refused_and_why(changes, op, number, settings, expected):
    assert expected is None or expected[1] is None or expected[1] in CAUSES
    assert refusal(replace(_TERMINAL, **changes), op, number, **settings) == expected


@pytest.mark.parametrize(
    ("changes", "settings", "classes"),
    [
        ({}, {}, ["internal"]),
        ({"classes": ("internal", "emergency", "feature")}, {}, ["internal"]),
        ({"allow_prefixes": ("030",)}, {}, ["internal", "national"]),
        ({}, {"allow": ("0",)}, ["international", "internal", "national"]),
        ({"allow_prefixes": ("9",)}, {}, ["internal"]),
        ({"classes": ("internal", "national"), "is_external_revoked": True}, {}, ["internal"]),
    ],
)
def test_a_phone_is_told_every_class_that_some_number_it_may_dial_is_of(changes, settings, classes):
    policy = Policy(_MAP, settings=PolicySettings(**settings))
    assert policy.classes_for(replace(_TERMINAL, **changes)) == sorted(classes)


@pytest.mark.parametrize(
    ("times", "now_s", "most", "expected"),
    [([], 0, 1, False), ([0], 59, 1, True), ([0], 60, 1, False), ([0, 30, 59], 61, 2, True), ([0, 30], 61, 2, False),
     ([0, 1, 2], 3, 0, False)],
)  # fmt: skip
def test_a_window_is_full_with_as_many_times_as_it_may_have(times, now_s, most, expected):
    assert is_full(deque(times), now_s, MINUTE_S, most) is expected


def test_each_terminal_has_its_own_minute():
    limits = Limits(2, 0, 0, lambda: None)
    assert [limits.count_command(tid, now_s) for tid, now_s in (("a", 0), ("a", 1), ("a", 2), ("b", 2), ("a", 60))] == [
        False, False, True, False, False
    ]  # fmt: skip


def test_the_hour_trips_once_until_it_is_restored():
    trips = []
    limits = Limits(0, 2, 0, lambda: trips.append("tripped"))
    limits.recall([5.0])
    asked = [limits.count_external(now_s, 0) for now_s in (6, 7, 8)]
    assert (asked, trips) == ([None, "external-per-hour", "external-per-hour"], ["tripped"])
    limits.restore()
    assert limits.count_external(9, 0) is None
    assert [limits.count_external(10 + HOUR_S, 0) for _ in range(3)][-1] == "external-per-hour"
    assert trips == ["tripped"] * 2


def test_who_reaches_a_limit_is_told_of_once_until_there_is_room_again():
    full = []
    limits = Limits(1, 0, 1, lambda: None, full.append)
    for tid, now_s in (("a", 0), ("a", 1), ("a", 2), ("b", 3), ("b", 4), ("a", 60), ("a", 61)):
        limits.count_command(tid, now_s)
    assert full == ["a", "b", "a"]
    full.clear()
    for under_way in (1, 1, 0, 1):
        limits.count_external(0, under_way)
    assert full == [SITE, SITE]


def test_so_many_at_once():
    limits = Limits(0, 0, 2, lambda: None)
    assert [limits.count_external(0, under_way) for under_way in (0, 1, 2)] == [None, None, "external-at-once"]


# The whole bridge.


@pytest.fixture
def make_scene(tmp_path, make):
    """Start a bridge whose terminal may transfer outside, with these settings of the policy."""

    async def start(**settings):
        scene = make.Scene(tmp_path)
        scene.settings = scene.settings.model_copy(update={"policy": PolicySettings(**settings)})
        scene.directory.set_classes("phone-101", ("internal", "national"))
        await scene.start()
        terminal = await scene.terminal()
        await terminal.hello()
        return scene, terminal

    return start


async def ask_and_finish(scene, terminal, number):
    answer = await terminal.ask("blind", number)
    scene.pbx.listener.on_progress("c1", "done", None)
    return answer


async def test_too_many_commands_in_a_minute_are_refused_for_their_rate(make_scene):
    scene, terminal = await make_scene(commands_per_minute=3)
    with structlog.testing.capture_logs() as logged:
        answers = [await ask_and_finish(scene, terminal, "102") for _ in range(5)]
    assert answers == [("accepted", None)] * 3 + [("rejected", "rate")] * 2
    alerts = [line for line in logged if line["event"] == "terminal-limit-tripped"]
    assert [(line["log_level"], line["tid"], line["most"]) for line in alerts] == [("warning", "phone-101", 3)]
    await scene.stop()


async def test_the_sites_limit_revokes_alerts_and_journals_until_it_is_restored(make_scene, make):
    scene, terminal = await make_scene(external_per_hour=2)
    with structlog.testing.capture_logs() as logged:
        answers = [await ask_and_finish(scene, terminal, "0301234567") for _ in range(3)]
    assert answers == [("accepted", None)] * 2 + [("rejected", "rate")]
    assert [line["log_level"] for line in logged if line["event"] == "site-limit-tripped"] == ["warning"]
    await make.until(lambda: classes(terminal) == ["internal"])
    assert await ask_and_finish(scene, terminal, "0301234567") == ("rejected", "destination")
    assert await ask_and_finish(scene, terminal, "102") == ("accepted", None)
    assert changes_of(scene)[-1] == ("bridge", "external transfers revoked: 2 within an hour")
    scene.directory.set_external_revoked(False, "by hand")
    await make.until(lambda: classes(terminal) == ["internal", "national"])
    assert await ask_and_finish(scene, terminal, "0301234567") == ("accepted", None)
    await scene.stop()


async def test_the_hour_goes_on_over_a_restart(make_scene, make):
    scene, terminal = await make_scene(external_per_hour=2)
    assert await ask_and_finish(scene, terminal, "0301234567") == ("accepted", None)
    assert await ask_and_finish(scene, terminal, "102") == ("accepted", None)
    await scene.bridge.stop()
    await scene.start()
    terminal.wire = scene.link
    await terminal.hello()
    answers = [await ask_and_finish(scene, terminal, "0301234567") for _ in range(2)]
    assert answers == [("accepted", None), ("rejected", "rate")]
    await scene.stop()


async def test_only_so_many_external_transfers_at_once(make_scene, make):
    scene, terminal = await make_scene(external_at_once=1)
    scene.pbx.now["101"] = (make.talking("c1"), make.talking("c2"))
    assert await terminal.ask("attended", "0301234567") == ("accepted", None)
    assert await terminal.ask("attended", "0301234567", call="c2") == ("rejected", "rate")
    assert await terminal.ask("attended", "102", call="c2") == ("accepted", None)
    scene.pbx.listener.on_progress("c1", "done", None)
    scene.pbx.listener.on_progress("c2", "done", None)
    assert await terminal.ask("attended", "0301234567", call="c2") == ("accepted", None)
    await scene.stop()


async def test_a_prefix_of_the_store_counts_at_once_on_the_phone_too(make_scene, make):
    scene, terminal = await make_scene()
    scene.directory.set_classes("phone-101", ("internal",))
    scene.directory.set_prefixes("phone-101", ("030",), ("0309",))
    await make.until(lambda: classes(terminal) == ["internal", "national"])
    await scene.bridge.refresh()
    scene.pbx.numbers |= {"0309", "0401"}
    assert await ask_and_finish(scene, terminal, "0301234567") == ("accepted", None)
    assert await ask_and_finish(scene, terminal, "0309") == ("rejected", "destination")
    assert await ask_and_finish(scene, terminal, "0401") == ("rejected", "destination")
    await scene.stop()


async def test_context_channel_and_extension_are_the_stores_whatever_a_message_says(make_scene):
    scene, terminal = await make_scene()
    said = {"context": "from-outside", "endpoint": "999", "extension": "999", "channel": "PJSIP/999-00000001"}
    topic = terminal.topic(messages.COMMAND)
    fields = terminal.command("blind", "102")
    text = json.dumps(json.loads(terminal.encode(messages.COMMAND, fields).split(b"\n")[0]) | said)
    signature = hmac.new(terminal.key, f"{topic}\n{text}".encode(), "sha256").hexdigest()[:32]
    await scene.link.send(topic, f"{text}\n{signature}".encode())
    await until(lambda: terminal.results(fields["id"]))
    assert terminal.results(fields["id"])[0] == ("accepted", None)
    assert scene.pbx.asked == [("blind", "c1", "internal", "102")]
    scene.pbx.listener.on_progress("c1", "done", None)

    async def is_known_number(context, number):
        return context == "sales"

    scene.pbx.is_known_number = is_known_number
    scene.directory.change_extension("101", context="sales")
    await scene.bridge.refresh()
    assert await terminal.ask("blind", "102") == ("accepted", None)
    assert scene.pbx.asked[-1] == ("blind", "c1", "sales", "102")
    await scene.stop()


async def test_the_rules_of_the_settings_are_journalled_when_they_are_not_what_they_were(make_scene):
    scene, _ = await make_scene(deny=("0900",))
    await scene.bridge.stop()
    await scene.start()
    await scene.bridge.stop()
    scene.settings = scene.settings.model_copy(update={"policy": PolicySettings(deny=("0900", "0137"))})
    await scene.start()
    told = [what for who, what in changes_of(scene) if what.startswith("rules in force")]
    assert [json.loads(what.partition(": ")[2])["deny"] for what in told] == [["0900"], ["0900", "0137"]]
    await scene.stop()


def classes(terminal):
    return terminal.heard(messages.PERMISSIONS)[-1]["classes"]


def changes_of(scene):
    with scene.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT detail FROM journal WHERE stage = 'change' ORDER BY seq").scalars()
        found = [json.loads(detail) for detail in rows]
    return [(change["who"], change["what"]) for change in found]
