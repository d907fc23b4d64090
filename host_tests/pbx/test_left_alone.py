"""Commands that must be refused leave a real call alone: old, repeated, forged, somebody else's, or not permitted.

The locks themselves are tested one by one in host_tests/bridge; here the PBX shows that it was not asked.
"""

import pytest
import pytest_asyncio
from attack_lab.scenery.waiting import until
from bridge.test_bad_input import sign
from pbx.desk import CALLER, COLLEAGUE, USER
from pbx.office import Office
from pbx.proxy import AmiProxy
from pbx_lab.legs import are_alone
from phoneterm.core import messages
from phoneterm_bridge.store.directory import Directory

pytestmark = pytest.mark.asyncio(loop_scope="session")

NO_TEXTS = ["", "102\r\nAction: Hangup", "102\n", "102\0", "/.*/", "１０２", "1" * 300, "102\r\n\r\nAction: Logoff"]


@pytest_asyncio.fixture(loop_scope="session")
async def watched(lab, tmp_path):
    """An office in the middle of a call, and the actions that its PBX is asked for."""
    async with AmiProxy(lab.ami) as proxy, Office(lab, tmp_path, proxy.ami) as office:
        await office.talk()
        office.asked = proxy.actions
        yield office


async def is_left_alone(office, fields, key=None, is_retained=False, terminal=None):
    """Send a command; return whether the PBX was not asked and the call goes on. Then try a valid one."""
    before, asked = await office.lab.legs(), len(office.asked)
    await (terminal or office.terminal).send(messages.COMMAND, fields, key, is_retained)
    good = await office.ask("swap")  # waits for the bridge's earlier work; without a consultation it is refused
    can_swap = "swap" in office.bridge.parts.pbx.operations
    await office.comes_to(good, "rejected", "no-call" if can_swap else "unsupported")
    return await office.lab.legs() == before and office.asked[asked:] == []


async def test_a_command_that_comes_twice_is_one_transfer_with_the_same_result_twice(watched):
    fields = watched.terminal.command("blind", COLLEAGUE, call=watched.told_call()[1])
    await watched.terminal.send(messages.COMMAND, fields)
    await watched.comes_to(fields["id"], "done")
    await watched.terminal.send(messages.COMMAND, fields)
    results = watched.terminal.results(fields["id"])
    assert results == [("accepted", None), ("done", None), ("done", None)]
    assert watched.asked.count("BlindTransfer") == 1


async def test_a_command_of_an_older_session_is_refused(watched):
    call = watched.told_call()[1]
    old = watched.terminal.command("blind", COLLEAGUE, call=call)
    await watched.terminal.hello()
    assert await is_left_alone(watched, old)
    assert watched.terminal.results(old["id"]) == [("rejected", "bad-session")]


async def test_a_command_older_than_its_time_to_live_is_refused(watched):
    session = watched.bridge.parts.sessions.live("t101")
    object.__setattr__(session, "sent_s", session.sent_s - 60)  # as if everything had been keyed a minute ago
    watched.terminal.session_s -= 60
    old = watched.terminal.command("blind", COLLEAGUE, call=watched.told_call()[1])
    assert await is_left_alone(watched, old | {"first_ms": 0, "since_ms": 1})
    assert watched.terminal.results(old["id"]) == [("rejected", "stale")]


async def test_a_retained_command_is_dropped(watched):
    command = watched.terminal.command("blind", COLLEAGUE, call=watched.told_call()[1])
    assert await is_left_alone(watched, command, is_retained=True)
    assert watched.terminal.results(command["id"]) == []


async def test_a_wrong_signature_is_not_answered(watched):
    command = watched.terminal.command("blind", COLLEAGUE, call=watched.told_call()[1])
    assert await is_left_alone(watched, command, key=b"another key")
    assert watched.terminal.results(command["id"]) == []


async def test_a_command_under_another_terminals_topic_is_refused_even_if_the_broker_lets_it_through(watched):
    other = watched.enrol("t102", COLLEAGUE)
    await watched.bridge.refresh()
    terminal = watched.terminal_of(other)
    command = watched.terminal.command("blind", COLLEAGUE, call=watched.told_call()[1])
    assert await is_left_alone(watched, command, key=other.mac_key)
    assert await is_left_alone(watched, command, key=watched.enrolment.mac_key, terminal=terminal)
    assert watched.terminal.results(command["id"]) == terminal.results(command["id"]) == []


async def test_another_extensions_call_cannot_be_named(watched):
    """A terminal names a call by its reference; those of the caller's leg and a colleague's call are not its own."""
    strange = watched.bridge.parts.pbx.calls(CALLER)[0].ref
    command = watched.terminal.command("blind", COLLEAGUE, call=strange)
    assert await is_left_alone(watched, command)
    assert watched.terminal.results(command["id"]) == [("rejected", "no-call")]


@pytest.mark.parametrize("field", ["number", "id", "call", "op"])
async def test_no_field_can_break_into_the_stream_to_the_pbx(watched, field):
    before, asked = await watched.lab.legs(), len(watched.asked)
    for text in NO_TEXTS:
        fields = {"v": 1} | watched.terminal.command("blind", COLLEAGUE, call=watched.told_call()[1]) | {field: text}
        payload = sign(watched.terminal, messages.COMMAND, fields)
        await watched.link.send(watched.terminal.topic(messages.COMMAND), payload)
    assert watched.asked[asked:] == []
    assert await watched.lab.legs() == before
    await watched.comes_to(await watched.ask("blind", COLLEAGUE), "done")
    assert watched.asked.count("BlindTransfer") == 1
    assert "Hangup" not in watched.asked


async def test_a_permission_that_is_flipped_in_mid_call_counts_for_the_next_command(watched):
    for is_allowed, result in ((False, ("rejected", "permission")), (True, ("done", None))):
        Directory(watched.bridge.parts.engine, "bridge").set_multi_user_aware("alice", is_allowed)
        await watched.bridge.refresh()
        await watched.comes_to(await watched.ask("blind", COLLEAGUE), *result)
        partner = COLLEAGUE if is_allowed else USER
        await watched.lab.wait_until(lambda legs, partner=partner: are_alone(legs, CALLER, partner))


async def test_an_extension_of_another_type_transfers_nothing(watched):
    queue = watched.terminal_of(watched.enrol("t103", CALLER, extension_type="queue"))
    await watched.bridge.refresh()
    await queue.hello()
    asked = len(watched.asked)
    command = queue.command("blind", COLLEAGUE, call=watched.bridge.parts.pbx.calls(CALLER)[0].ref)
    await queue.send(messages.COMMAND, command)
    await until(lambda: queue.results(command["id"]) == [("rejected", "permission")])
    assert watched.asked[asked:] == []
