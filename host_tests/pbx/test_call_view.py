"""The view of Asterisk's calls in cases that no Asterisk reproduces at will: no further events, events in a race."""

from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.asterisk.calls import CallTable
from phoneterm_bridge.pbx.asterisk.features import Codes
from phoneterm_bridge.pbx.asterisk.transfer import Transfer
from phoneterm_bridge.pbx.asterisk.view import MOST_ARRIVALS, CallView


class Told:
    def __init__(self):
        self.arrivals = []

    def on_calls_changed(self, endpoint):
        pass

    def on_arrival(self, ref, word, reason):
        self.arrivals.append((ref, word))


def channel(uniqueid, name, bridge):
    return Message([("Uniqueid", uniqueid), ("Channel", name), ("ChannelStateDesc", "Up"), ("BridgeId", bridge)])


def test_a_channel_that_is_listed_twice_is_one_call():
    view = CallView(lambda: 1.0, *(4 * [lambda *_: None]))
    view.begin_load()
    caller, user = channel("u1", "PJSIP/103-00000001", "b1"), channel("u2", "PJSIP/101-00000002", "b1")
    view.load([caller, user, channel("u2", "PJSIP/101-00000002", "b1")], Codes())
    assert [call.state for call in view.calls("101")] == ["talking"]
    view.apply(Message([("Event", "Hangup"), ("Uniqueid", "u2"), ("Cause", "16")]))
    assert view.calls("101") == ()


def test_parties_that_are_never_heard_of_again_do_not_pile_up():
    view, told = CallView(lambda: 1.0, *(4 * [lambda *_: None])), Told()
    view.listener = told
    conversations = range(MOST_ARRIVALS + 1)
    view.begin_load()
    view.load(
        [channel(f"u{n}", f"PJSIP/101-{n:08x}", f"b{n}") for n in conversations]
        + [channel(f"c{n}", f"PJSIP/trunk-{n:08x}", f"b{n}") for n in conversations],
        Codes(),
    )
    for n in conversations:
        for arrival in view.send(view.table.leg(f"u{n}")):
            arrival.release()
    for n in conversations:
        view.apply(Message([("Event", "Hangup"), ("Uniqueid", f"c{n}"), ("Cause", "17")]))
    assert [ref for ref, _ in told.arrivals] == [f"u{n}" for n in conversations[1:]]


def test_a_party_that_is_sent_away_again_is_told_once_and_only_on_its_new_way():
    view, told = CallView(lambda: 1.0, *(4 * [lambda *_: None])), Told()
    view.listener = told
    view.begin_load()
    view.load([channel("u1", "PJSIP/101-00000001", "b1"), channel("c1", "PJSIP/trunk-00000001", "b1")], Codes())
    (first,) = view.send(view.table.leg("u1"))
    first.release()
    (second,) = view.send(view.table.leg("u1"))
    second.release()
    view.forget([first])  # it is not followed any more, and the second one still is
    view.apply(Message([("Event", "Hangup"), ("Uniqueid", "c1"), ("Cause", "17")]))
    assert (first.is_over, told.arrivals) == (True, [("u1", "not-answered")])


def event(name, uniqueid="", **headers):
    return Message([("Event", name), ("Uniqueid", uniqueid), *headers.items()])


def test_a_caller_whose_channel_is_replaced_is_not_gone():
    """As when a follow-me's Local channel is optimised away in the moment in which the consultation begins."""
    table = CallTable(lambda: 1.0)
    people = {"u1": "PJSIP/101-00000001", "c1": "Local/103@internal-00000001;1"}
    for uniqueid, name in people.items():
        table.apply(event("Newchannel", uniqueid, Channel=name, ChannelStateDesc="Up"))
        table.apply(event("BridgeEnter", uniqueid, BridgeUniqueid="home"))
    user, caller = table.leg("u1"), table.leg("c1")
    transfer = Transfer(user, [caller], "Local/102@internal-")
    told = []
    for one in (
        event("Newchannel", "c2", Channel="PJSIP/103-00000002", ChannelStateDesc="Up"),
        event("Hold", "u1"),
        event("BridgeLeave", "c1", BridgeUniqueid="home"),
        event("BridgeEnter", "c2", BridgeUniqueid="home", SwapUniqueid="c1"),
        event("HangupRequest", "c1"),
        event("Hangup", "c1", Cause="16"),
    ):
        table.apply(one)
        told += transfer.apply(one, table, 1.0)
    assert told == [] and transfer.is_under_way
    table.apply(gone := event("Hangup", "c2", Cause="16"))
    assert transfer.apply(gone, table, 1.0) == [("failed", "caller-gone")]
