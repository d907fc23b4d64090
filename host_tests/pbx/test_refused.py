"""Error answers of the PBX: each kind is told apart, and none is taken for a value."""

import asyncio
import contextlib

import pytest
from attack_lab.scenery.waiting import until
from pbx.desk import ACCEPTED, CALLER, COLLEAGUE, CONTEXT, USER, Desk, make_lab, to
from pbx_lab.legs import are_alone
from phoneterm_bridge.pbx.ami.refused import NO_ACTION, NO_CHANNEL, AmiRefused, kind_of
from phoneterm_bridge.pbx.asterisk.features import ask_variable
from phoneterm_bridge.pbx.asterisk.hearing import Hearing
from phoneterm_bridge.pbx.port import Outcome, PbxMisconfigured, Target
from phoneterm_bridge.store.directory import Directory
from structlog.testing import capture_logs

pytestmark = pytest.mark.asyncio(loop_scope="session")

UNREACHABLE = Outcome("failed", "pbx-unreachable")
GONE = ("Channel", "PJSIP/101-0000ffff")
RINGS_ENDS = "194"


@pytest.mark.parametrize(
    ("action", "headers", "meaning"),
    [
        ("Getvar", [GONE, ("Variable", "FEATUREMAP(atxfer)")], NO_CHANNEL),
        ("Setvar", [GONE, ("Variable", "TRANSFER_EXTEN"), ("Value", "102")], NO_CHANNEL),
        ("PlayDTMF", [GONE, ("Digit", "D"), ("Receive", "true"), ("Duration", "1")], NO_CHANNEL),
        ("BlindTransfer", [GONE, ("Exten", "102"), ("Context", CONTEXT)], NO_CHANNEL),
        ("Atxfer", [GONE, ("Exten", "102"), ("Context", CONTEXT)], NO_CHANNEL),
        ("CancelAtxfer", [GONE], NO_CHANNEL),
        ("Hangup", [GONE], NO_CHANNEL),
        ("Nonsense", [], NO_ACTION),
        ("Ping", [], None),
    ],
)
async def test_the_pbx_says_what_is_wrong_in_words_that_are_known(desk, action, headers, meaning):
    assert kind_of(await desk.ask(action, headers)) == meaning


async def test_a_question_about_a_channel_that_is_gone_has_no_empty_answer(desk):
    await desk.ask("Ping", [])
    with pytest.raises(AmiRefused, match="No such channel"):
        await ask_variable(desk.client, "CHANNEL(dtmf_features)", GONE[1])


async def test_a_pbx_about_to_restart_is_unreachable_and_no_number_is_unknown_to_it(open_desk):
    desk = await open_desk()
    call = await desk.talk()
    await desk.lab.begin_restart()
    assert await desk.pbx.is_known_number(CONTEXT, COLLEAGUE) is None
    assert desk.availability == [True, False]
    for operation in ("blind", "attended"):
        assert await desk.pbx.carry_out(operation, call, to(COLLEAGUE)) == UNREACHABLE
    assert [known.ref for known in desk.pbx.calls(USER)] == [call.ref]
    await desk.lab.abort_restart()
    await desk.wait_until(lambda: desk.availability == [True, False, True])
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))
    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == ACCEPTED
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))


@pytest.mark.parametrize("operation", ["complete", "cancel", "swap"])
async def test_a_consultation_on_a_pbx_about_to_restart_goes_on_and_its_end_is_seen(open_desk, operation):
    desk = await open_desk()
    call = await desk.consult()
    await desk.lab.begin_restart()
    assert await desk.pbx.carry_out(operation, call, None) == UNREACHABLE
    assert desk.states()[-1] == ("consulting", None)
    await desk.lab.abort_restart()
    await desk.lab.hang_up(COLLEAGUE)
    await desk.result("returned")


async def test_what_ends_while_the_pbx_waits_to_restart_is_told(open_desk):
    desk = await open_desk()
    call = await desk.talk()
    assert await desk.pbx.carry_out("attended", call, to(RINGS_ENDS)) == ACCEPTED
    await desk.lab.begin_restart()
    await desk.result("returned", "no-answer")


async def test_a_bridge_that_is_started_meanwhile_waits_and_blames_nobody(open_desk):
    desk = await open_desk()
    await desk.talk()
    await desk.lab.begin_restart()
    with capture_logs() as logs:
        async with Desk(desk.lab) as other:
            assert not other.pbx.is_available
            await desk.lab.abort_restart()
            await other.wait_until(lambda: other.pbx.is_available)
    (told,) = (line["reason"] for line in logs if line["event"] == "pbx-not-there")
    assert "shutting down" in told


async def test_a_login_that_hears_of_no_call_is_found_out_and_is_not_available(kind, need_part):
    lab = make_lab(kind, need_part, ami_read="")
    await lab.start()
    try:
        with capture_logs() as logs:
            async with Desk(lab) as desk:
                assert desk.pbx.trouble is None
                await lab.place_call(CALLER, USER)
                await desk.wait_until(lambda: desk.availability == [True, False])
                assert "must have read = call in section [phoneterm]" in desk.pbx.trouble
                desk.pbx._client.log_in_anew()
                await desk.wait_until(lambda: desk.pbx.calls(USER))  # as the list has them
                assert desk.availability == [True, False]
        assert [line["event"] for line in logs if "calls" in line["event"]] == ["pbx-tells-no-calls"]
    finally:
        await lab.stop()


async def test_a_right_that_the_login_is_given_counts_without_a_restart_of_the_bridge(open_desk):
    desk = await open_desk(pauses={"log_in_again_s": 0.2}, ami_write="reporting")
    assert "and `manager reload`" in desk.pbx.trouble
    await desk.lab.change_rights("call,reporting")
    await until(lambda: desk.pbx.is_available and desk.pbx.trouble is None)
    call = await desk.talk()
    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == ACCEPTED
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))


async def test_a_context_that_the_dialplan_does_not_have_is_not_told_as_an_unknown_number(desk):
    call = await desk.talk()
    for operation in ("blind", "attended"):
        outcome = await desk.pbx.carry_out(operation, call, Target("from-nowhere", COLLEAGUE))
        assert outcome == Outcome("failed", "pbx-misconfigured")
    with pytest.raises(PbxMisconfigured, match=r"no context from-nowhere.*phoneterm user context"):
        await desk.pbx.is_known_number("from-nowhere", COLLEAGUE)
    assert are_alone(await desk.lab.legs(), CALLER, USER)


async def test_a_command_in_a_context_that_does_not_exist_is_refused_with_that(office):
    Directory(office.engine, "test").change_extension(USER, context="from-nowhere")
    await office.bridge.refresh()
    await office.talk()
    with capture_logs() as logs:
        await office.comes_to(await office.ask("blind", COLLEAGUE), "rejected", "pbx-misconfigured")
    assert any("no context from-nowhere" in line.get("why", "") for line in logs)
    assert are_alone(await office.lab.legs(), CALLER, USER)


async def test_a_call_that_goes_on_in_silence_is_no_sign_of_a_login_that_hears_nothing(desk):
    looks = []

    class Asking:
        async def ask_list(self, action):
            looks.append(await desk.pbx._client.ask_list(action))
            return looks[-1]

    hearing = Hearing(Asking(), desk.pbx._view.table, pytest.fail, first_s=0.01)
    await desk.talk()
    watching = asyncio.create_task(hearing.watch())
    await until(lambda: len(looks) > 2)
    watching.cancel()
    assert len(looks[-1]) == 2


async def test_a_login_that_is_used_already_is_told_with_the_line_that_forbids_a_second_one(kind, need_part):
    lab = make_lab(kind, need_part, allows_second_login=False)
    await lab.start()
    try:
        with capture_logs() as logs:
            async with Desk(lab), Desk(lab) as second:
                assert not second.pbx.is_available
                assert not second.pbx.is_login_refused
                assert "allowmultiplelogin = no in manager.conf" in second.pbx.trouble
        assert [line["reason"] for line in logs if line["event"] == "pbx-refuses"] == [second.pbx.trouble]
    finally:
        await lab.stop()


async def test_a_login_that_another_one_has_freed_is_taken_at_once(kind, need_part):
    lab = make_lab(kind, need_part, allows_second_login=False)
    await lab.start()
    try:
        first = Desk(lab)
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(first)
            second = await stack.enter_async_context(Desk(lab))
            await first.pbx.stop()
            await second.wait_until(lambda: second.pbx.is_available, 6)  # a long pause is 7.5 s at least
            assert second.pbx.trouble is None
    finally:
        await lab.stop()


@pytest.mark.parametrize(("rights", "denied"), [("call", "CoreSettings"), ("reporting", None)])
async def test_a_login_without_a_right_that_is_needed_is_said_to_lack_it(kind, need_part, rights, denied):
    lab = make_lab(kind, need_part, ami_write=rights)
    await lab.start()
    try:
        with capture_logs() as logs:
            async with Desk(lab) as desk:
                assert desk.pbx.is_available is (denied is None)
                if denied is None:
                    call = await desk.talk()
                    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == Outcome(
                        "failed", "pbx-misconfigured"
                    )
                    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == Outcome(
                        "failed", "pbx-misconfigured"
                    )
                assert "write = call,reporting in section [phoneterm]" in desk.pbx.trouble
        refusals = [line for line in logs if line["event"] in ("pbx-refuses", "pbx-refused")]
        assert "Permission denied" in refusals[0]["reason"]
        assert all("write = call,reporting" in line["hint"] for line in logs if line["event"] == "no-transfer-began")
        assert not [line for line in logs if "app_senddtmf" in str(line.get("faster_with"))]
    finally:
        await lab.stop()
