"""Looking at VoipNow's calls: at which rate, in which shapes, and what counts while it does not answer."""

import pytest
from attack_lab.scenery.waiting import until
from pbx.desk import CALLER, COLLEAGUE, USER, Desk, to
from pbx_lab.legs import are_alone
from phoneterm_bridge.pbx.port import PbxRejectedLogin
from phoneterm_bridge.pbx.voipnow.backend import VoipNowPbx
from phoneterm_bridge.settings.bridge import load_settings
from phoneterm_bridge.wording.logs import set_up_logs
from voipnow_lab.faults import ALWAYS

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHAPES = [
    {"entries": "object"}, {"updated": "object"}, {"empty": "204"}, {"caller_id": "callerID"}, {"has_holder": False},
    {"has_other_views": False}, {"page": 1},
]  # fmt: skip


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
async def test_a_call_is_followed_and_moved_in_every_shape_of_an_answer(lab, clock, shapes):
    for name, value in shapes.items():
        setattr(lab.shapes, name, value)
    async with Desk(lab, clock=clock) as desk:
        call = await desk.talk()
        assert call.lines >= {"0003*103", "103"}
        assert call.peer == CALLER
        await lab.hold(USER)
        await desk.call_in_state("held")
        await lab.unhold(USER)
        assert (await desk.call_in_state("talking")).ref == call.ref
        assert (await desk.pbx.carry_out("blind", call, to(COLLEAGUE))).state == "accepted"
        await lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
        await desk.result("done")


async def test_more_calls_than_a_page_has_are_all_seen(desk):
    for _ in range(23):
        desk.lab.exchange.place_call(COLLEAGUE, CALLER)
    await desk.wait_until(lambda: len(desk.pbx.calls(CALLER)) == 23)
    assert len({call.ref for call in desk.pbx.calls(CALLER)}) == 23
    assert len(desk.pbx.calls(COLLEAGUE)) == 23


async def test_all_extensions_are_asked_for_in_one_request(desk):
    await desk.talk()
    asked = len(desk.lab.requests)
    await desk.lab.hang_up(USER)
    await desk.wait_until(lambda: desk.pbx.calls(USER) == () == desk.pbx.calls(CALLER))
    assert set(desk.lab.requests[asked:]) == {"GET /uapi/phoneCalls/@me/@self"}


async def test_where_that_cannot_be_each_extension_with_a_terminal_is_asked_for(lab, clock):
    async with Desk(lab, clock=clock, changes=("voipnow.lists=each",)) as desk:
        desk.pbx.watch(frozenset({USER, COLLEAGUE}))
        await desk.talk()
        assert desk.pbx.calls(CALLER) == ()
        await until(lambda: any("0003*102" in one for one in lab.requests))
    read = {one.rpartition("/")[2] for one in lab.requests if one.startswith("GET")}
    assert read == {"0003*101", "0003*102"}


async def test_one_extension_that_voipnow_does_not_show_does_not_hide_the_others(lab, clock, capsys):
    async with Desk(lab, clock=clock, changes=("voipnow.lists=each",)) as desk:
        desk.pbx.watch(frozenset({USER, "0004*210"}))
        await until(lambda: sum("0004*210" in one for one in lab.requests) > 2)
        await desk.talk()
        assert desk.availability == [True]
    assert capsys.readouterr().out.count("calls-not-shown") == 1


async def test_two_calls_of_an_extension_have_two_references_and_a_call_keeps_its_own(desk, calls_are):
    first = await desk.talk()
    await desk.lab.place_call(USER, "0123456")
    calls = await calls_are("talking", "talking")
    assert first.ref in {call.ref for call in calls}
    assert len({call.ref for call in calls}) == 2


async def test_the_far_side_that_holds_leaves_the_call_talking(desk):
    await desk.talk()
    await desk.lab.hold(CALLER)
    await desk.call_in_state("held", CALLER)
    await desk.call_in_state("talking", USER)


@pytest.mark.parametrize("way", ["500", "cut-before", "half", "no-json", "nothing", "429"])
async def test_one_look_that_fails_changes_nothing(desk, way):
    await desk.talk()
    asked = len(desk.lab.requests)
    desk.lab.faults.add("list", way, 1 if way == "nothing" else 2)
    if way == "nothing":
        await desk.wait_until(lambda: desk.pbx.calls(USER) == ())  # it says that there is no call
    else:
        await until(lambda: len(desk.lab.requests) > asked)
    await desk.call_in_state("talking")
    assert desk.availability == [True]


async def test_a_voipnow_that_stays_away_is_told_and_its_calls_are_forgotten(desk, clock):
    await desk.talk()
    await desk.lab.close_https()
    assert desk.pbx.is_available
    clock.skip(10)
    await desk.wait_until(lambda: desk.availability == [True, False])
    assert desk.pbx.calls(USER) == ()
    assert not desk.pbx.is_login_refused
    await desk.lab.open_https()
    desk.pbx.watch(frozenset({USER}))  # it looks at once
    await desk.wait_until(lambda: desk.availability == [True, False, True])
    await desk.call_in_state("talking")


async def test_a_look_that_does_not_end_does_not_keep_old_calls_alive(lab, clock):
    async with Desk(lab, clock=clock, changes=("voipnow.timeout_ms=8000",)) as desk:
        await desk.talk()
        lab.faults.slow_s = 600
        lab.faults.add("list", "slow", ALWAYS)
        await desk.wait_until(lambda: desk.availability == [True, False])
        assert desk.pbx.calls(USER) == ()


async def test_a_voipnow_that_lets_the_app_in_no_more_is_told_as_a_refused_login(desk):
    desk.lab.faults.add("list", "403", ALWAYS)
    await desk.wait_until(lambda: desk.availability == [True, False])
    assert desk.pbx.is_login_refused


async def test_a_voipnow_that_is_away_at_the_start_is_found_later(lab, clock):
    await lab.close_https()
    async with Desk(lab, clock=clock) as desk:
        assert not desk.pbx.is_available
        await lab.place_call(CALLER, USER)
        await lab.open_https()
        await desk.wait_until(lambda: desk.pbx.is_available)
        await desk.call_in_state("talking")
        assert desk.availability == [True]


@pytest.mark.parametrize("lists", ["together", "each"])
@pytest.mark.parametrize("way", ["other secret", "not trusted"])
async def test_an_app_that_is_refused_at_the_start_is_one_sentence_without_its_secret(lab, way, lists):
    """Even where no terminal is enrolled yet, so that there is no extension to ask for."""
    changes = (f"voipnow.lists={lists}", *(("voipnow.client_secret=wrong-wrong",) if way == "other secret" else ()))
    lab.tokens.is_trusted = way != "not trusted"
    pbx = VoipNowPbx(load_settings(None, (*lab.bridge_settings, *changes)).voipnow)
    try:
        with pytest.raises(PbxRejectedLogin) as raised:
            await pbx.start()
    finally:
        lab.tokens.is_trusted = True
    word = "invalid_client" if way == "other secret" else "unauthorized_client"
    assert str(raised.value) == f"VoipNow at {lab.url} does not accept the app {lab.tokens.client_id} ({word})"
    assert raised.value.settings == "voipnow.client_id and voipnow.client_secret"


async def test_an_app_that_is_refused_later_is_told_and_let_in_again(desk):
    await desk.talk()
    desk.lab.tokens.is_trusted = False
    desk.lab.tokens.expire_all()
    await desk.wait_until(lambda: not desk.pbx.is_available)
    assert desk.pbx.is_login_refused
    desk.lab.tokens.is_trusted = True
    await desk.wait_until(lambda: desk.pbx.is_available)
    assert not desk.pbx.is_login_refused


async def test_a_token_that_ends_early_is_renewed_without_anybody_noticing(desk):
    await desk.talk()
    issued = desk.lab.tokens.issued
    desk.lab.tokens.expire_all()
    await desk.lab.hang_up(CALLER)
    await desk.wait_until(lambda: desk.pbx.calls(USER) == ())
    assert desk.lab.tokens.issued == issued + 1
    assert desk.availability == [True]


async def test_a_look_that_breaks_in_an_unexpected_way_is_not_the_last_one(desk, clock):
    await desk.talk()
    clock.break_once()
    await until(lambda: not clock.is_broken)
    await desk.lab.hang_up(CALLER)
    await desk.wait_until(lambda: desk.pbx.calls(USER) == ())
    assert desk.availability == [True]  # a list has shown it, instead of no list for too long


async def test_looks_are_no_lines_of_the_log(lab, clock, capsys):
    set_up_logs("json", "debug")
    async with Desk(lab, clock=clock) as desk:
        await desk.talk()
    assert "phoneCalls" not in capsys.readouterr().err


async def test_nothing_is_told_after_the_end(lab, clock):
    async with Desk(lab, clock=clock) as desk:
        await desk.talk()
        desk.lab.faults.add("list", "slow", ALWAYS)
    told = len(desk.availability)
    await lab.hang_up(CALLER)
    assert len(desk.availability) == told
