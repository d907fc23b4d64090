"""The transfer's state table, with events in any order: it never breaks, and ends at most once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phoneterm.core.messages import FINAL_STATES
from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.asterisk.calls import CallTable, ref_of
from phoneterm_bridge.pbx.asterisk.channel_name import endpoint_of
from phoneterm_bridge.pbx.asterisk.transfer import Transfer
from phoneterm_bridge.wording.why import REASONS

STATES = ("ringing", "consulting", *FINAL_STATES)
CHANNELS = {
    "1.1": "PJSIP/103-00000001",
    "1.2": "PJSIP/101-00000002",
    "1.3": "Local/102@internal-00000000;1",
    "1.4": "Local/102@internal-00000000;2",
    "1.5": "PJSIP/102-00000003",
}
_UNIQUEIDS = st.sampled_from([*CHANNELS, "9.9"])
_EVENTS = st.builds(
    lambda name, who, dest, bridge, state, status, cause: event(
        name, who, DestUniqueid=dest, BridgeUniqueid=bridge, ChannelStateDesc=state, DialStatus=status, Cause=cause,
        OrigTransfererUniqueid=who, Result="Success", DestBridgeUniqueid=bridge,
    ),
    st.sampled_from(
        ["Newchannel", "Newstate", "Hold", "Unhold", "BridgeEnter", "BridgeLeave", "DialBegin", "DialEnd",
         "HangupRequest", "Hangup", "AttendedTransfer", "Rename"]
    ),
    _UNIQUEIDS, _UNIQUEIDS, st.sampled_from(["home", "second"]), st.sampled_from(["Down", "Ringing", "Up"]),
    st.sampled_from(["", "ANSWER", "BUSY", "NOANSWER", "CANCEL"]), st.sampled_from(["16", "17", "21", ""]),
)  # fmt: skip


def event(name, who, **headers):
    channel = CHANNELS.get(who, "")
    pairs = [("Event", name), ("Uniqueid", who), ("Channel", channel), ("Linkedid", "1.1"), ("Newname", channel)]
    return Message([*pairs, *headers.items()])


def talking_table():
    table = CallTable(lambda: 1.0)
    for who in ("1.1", "1.2"):
        table.apply(event("Newchannel", who, ChannelStateDesc="Up"))
        table.apply(event("BridgeEnter", who, BridgeUniqueid="home"))
    return table


@given(st.lists(_EVENTS, max_size=40))
def test_any_events_lead_to_known_states_and_to_one_end(events):
    table, told = talking_table(), []
    user = table.leg("1.2")
    transfer = Transfer(user, table.others(user), "Local/102@internal-")
    for one in events:
        table.apply(one)
        told += transfer.apply(one, table, 2.0)
    assert all(state in STATES and (reason is None or reason in REASONS) for state, reason in told)
    finals = [state for state, _ in told if state in FINAL_STATES]
    assert len(finals) <= 1
    assert not finals or told[-1][0] == finals[0]


def test_the_endpoint_of_a_channel_may_contain_dashes():
    assert endpoint_of("PJSIP/desk-7-left-0000002a") == "desk-7-left"
    assert endpoint_of("PJSIP/100-0000002a") == "100"
    assert endpoint_of("Local/102@internal-00000000;1") == ""
    assert endpoint_of("nonsense") == ""


def test_a_reference_is_fit_for_the_wire_and_always_the_same():
    assert ref_of("1795386296.7") == "1795386296.7"
    long = "a-very-long-system-name-1795386296.7"
    assert ref_of(long) == ref_of(long)
    assert len(ref_of(long)) == 24


def test_a_renamed_channel_keeps_its_reference_and_is_acted_on_by_its_new_name():
    table = talking_table()
    ref = table.leg("1.2").ref
    table.apply(Message([("Event", "Rename"), ("Uniqueid", "1.2"), ("Newname", "PJSIP/101-00000002<MASQ>")]))
    assert table.leg_of(ref).channel == "PJSIP/101-00000002<MASQ>"
    assert [leg.ref for leg in table.legs_of("101")] == [ref]


# The user has the caller on hold and talks to the colleague: each event, its party and its bridge.
_CONSULTING = [
    ("Hold", "1.2", ""), ("BridgeLeave", "1.2", "home"), ("BridgeEnter", "1.2", "second"),
    ("Newchannel", "1.3", ""), ("Newstate", "1.3", ""), ("BridgeEnter", "1.3", "second"),
]  # fmt: skip
_USER_LEAVES = [("BridgeLeave", "1.2", "home")]
_COLLEAGUE_LEAVES = [("BridgeLeave", "1.3", "second")]
_COLLEAGUE_COMES = [("BridgeEnter", "1.3", "home")]
_TRANSFERRED = [("AttendedTransfer", "1.2", "home")]


def progress_of(steps):
    """Return the states that a transfer goes through with these events."""
    table, progress = talking_table(), []
    user = table.leg("1.2")
    transfer = Transfer(user, table.others(user), "Local/102@internal-")
    for name, who, bridge in steps:
        one = event(
            name, who, BridgeUniqueid=bridge, ChannelStateDesc="Up", OrigTransfererUniqueid=who, Result="Success",
            DestBridgeUniqueid=bridge, Cause="16",
        )  # fmt: skip
        table.apply(one)
        progress += transfer.apply(one, table, 2.0)
    return [state for state, _ in progress]


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        (_COLLEAGUE_LEAVES + _COLLEAGUE_COMES + _USER_LEAVES + _TRANSFERRED, "done"),
        (_USER_LEAVES + _COLLEAGUE_LEAVES + _COLLEAGUE_COMES + _TRANSFERRED, "done"),
        ([*_COLLEAGUE_LEAVES, ("Hangup", "1.3", "")], "returned"),
    ],
    ids=["user last", "user first", "cancelled"],
)
def test_a_colleague_who_leaves_the_second_bridge_comes_to_the_caller_or_is_gone(ending, told):
    """After a swap the user is with the caller; recorded from Asterisk 22, which moves the colleague first or last."""
    swapped = [("BridgeLeave", "1.2", "second"), ("BridgeEnter", "1.2", "home")]
    assert progress_of(_CONSULTING + swapped + ending) == ["consulting", told]


@pytest.mark.parametrize("ending", [[], _TRANSFERRED], ids=["without AttendedTransfer", "with it"])
def test_who_hangs_up_in_a_consultation_has_transferred_once_caller_and_colleague_are_together(ending):
    hung_up = [("Hangup", "1.2", ""), *_COLLEAGUE_LEAVES, *_COLLEAGUE_COMES]
    assert progress_of(_CONSULTING + hung_up + ending) == ["consulting", "done"]


@pytest.mark.parametrize(("status", "cause", "told"), [("CONGESTION", "34", "unavailable"), ("BUSY", "34", "busy")])
@pytest.mark.parametrize("causes", [("16", "16"), ("16", ""), ("", "16")], ids=["its release's", "late", "early"])
def test_the_cause_of_a_tone_says_nothing_about_who_was_called(status, cause, told, causes):
    """The tone's own cause comes at the target's channel before or after that of its release, as threads will."""
    table, progress = talking_table(), []
    user = table.leg("1.2")
    transfer = Transfer(user, table.others(user), "Local/102@internal-")
    asked, hung_up = (one or cause for one in causes)
    for one in (
        event("Hold", "1.2"),
        event("BridgeLeave", "1.2", BridgeUniqueid="home"),
        event("BridgeEnter", "1.2", BridgeUniqueid="second"),
        event("Newchannel", "1.3"),
        event("DialEnd", "", DestUniqueid="1.3", DestChannel=CHANNELS["1.3"], DialStatus=status),
        event("HangupRequest", "1.4", Cause=asked),
        event("Hangup", "1.4", Cause=hung_up),
        event("Hangup", "1.3", Cause=hung_up),
        event("BridgeLeave", "1.2", BridgeUniqueid="second"),
        event("BridgeEnter", "1.2", BridgeUniqueid="home"),
    ):
        table.apply(one)
        progress += transfer.apply(one, table, 2.0)
    assert progress == [("returned", told)]
