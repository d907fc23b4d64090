"""Who is who in a list of channels with a consultation in it, whatever the order of the list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.asterisk.calls import CallTable
from phoneterm_bridge.pbx.asterisk.resync import find_transfers

# Recorded from Asterisk 22: a call of 103 through a queue, whose member 101 consults 102. Each channel, its Uniqueid,
# its own and the other's number, its application and its bridge while the two talk.
_CUSTOMER, _MEMBER_HALF, _WAITING_HALF, _USER, _TARGET = "1.8", "1.9", "1.10", "1.11", "1.13"
_CHANNELS = [
    ("Local/102@from-internal-xfer-00000001;2", "1.14", "101", "102", "Dial", "colleague"),
    ("Local/102@from-internal-xfer-00000001;1", _TARGET, "102", "101", "", "second"),
    ("PJSIP/102-00000002", "1.15", "102", "101", "AppDial", "colleague"),
    ("PJSIP/101-00000001", _USER, "101", "102", "AppDial", "second"),
    ("Local/101@from-queue-00000000;2", _WAITING_HALF, "103", "101", "Dial", "home"),
    ("Local/101@from-queue-00000000;1", _MEMBER_HALF, "101", "103", "AppQueue", "queue"),
    ("PJSIP/103-00000000", _CUSTOMER, "103", "101", "Queue", "queue"),
]


def listed(channel, uniqueid, number, peer, application, bridge, is_swapped):
    """Return a channel as Asterisk lists it; is_swapped: the user has gone back to the caller."""
    bridge = "home" if is_swapped and uniqueid == _USER else bridge
    return Message(
        [("Channel", channel), ("Uniqueid", uniqueid), ("Linkedid", _CUSTOMER), ("ChannelStateDesc", "Up"),
         ("CallerIDNum", number), ("ConnectedLineNum", peer), ("Application", application), ("BridgeId", bridge),
         ("Duration", "00:00:04")]
    )  # fmt: skip


@pytest.mark.parametrize("is_swapped", [False, True], ids=["with the colleague", "with the caller"])
@given(order=st.permutations(_CHANNELS))
def test_in_a_call_of_a_queue_the_customer_is_never_taken_for_the_target(order, is_swapped):
    table = CallTable(lambda: 100.0)
    table.load(listed(*one, is_swapped) for one in order)
    (found,) = find_transfers(table)
    assert (found.leg.uniqueid, found.target.uniqueid, found.home) == (_USER, _TARGET, "home")
    assert [caller.uniqueid for caller in found.callers] == [_WAITING_HALF]


# Recorded in the same way: the caller 103 is in a transfer, too, for a customer who waits for 103.
_OF_BOTH = [
    ("PJSIP/trunk-00000000", "1.1", "trunk", "103", "Dial", "first"),
    ("PJSIP/103-00000001", "1.2", "103", "101", "AppDial", "second"),
    ("Local/101@internal-00000000;1", "1.3", "101", "103", "", "second"),
    ("Local/101@internal-00000000;2", "1.4", "103", "101", "Dial", "home"),
    ("PJSIP/101-00000002", "1.5", "101", "102", "AppDial", "third"),
    ("Local/102@internal-00000001;1", "1.6", "102", "101", "", "third"),
    ("Local/102@internal-00000001;2", "1.7", "101", "102", "Dial", "colleague"),
    ("PJSIP/102-00000003", "1.8", "102", "101", "AppDial", "colleague"),
]


@given(order=st.permutations(_OF_BOTH))
def test_whoever_waits_for_a_caller_who_waits_is_not_taken_for_that_caller(order):
    table = CallTable(lambda: 100.0)
    table.load(listed(*one, is_swapped=False) for one in order)
    found = {one.leg.number: ([caller.number for caller in one.callers], one.home) for one in find_transfers(table)}
    assert found == {"103": (["trunk"], "first"), "101": (["103"], "home")}


# The same: 101 has put 103 on hold and is on the way to the second bridge, where the target rings already; or has hung
# up, and the target is with 103.
_RINGING = [
    ("PJSIP/103-00000000", "1.1", "103", "101", "Dial", "home"),
    ("PJSIP/101-00000001", "1.2", "101", "102", "AppDial", ""),
    ("Local/102@internal-00000000;2", "1.4", "101", "102", "Dial", ""),
]


@pytest.mark.parametrize(("place", "expected"), [("second", []), ("home", [("101", ["103"], "home")])])
def test_a_user_who_is_on_the_way_to_a_target_that_rings_has_not_hung_up(place, expected):
    target = ("Local/102@internal-00000000;1", "1.3", "102", "101", "", place)
    table = CallTable(lambda: 100.0)
    table.load([*(listed(*one, is_swapped=False) for one in _RINGING), ringing(listed(*target, is_swapped=False))])
    found = [(one.leg.number, [caller.number for caller in one.callers], one.home) for one in find_transfers(table)]
    assert found == expected


def ringing(channel):
    """Return the same channel, not answered yet."""
    return Message([(key, "Ringing" if value == "Up" else value) for key, value in channel.pairs])


def test_a_colleague_was_called_no_later_than_the_list_says():
    table = CallTable(lambda: 100.0)
    table.load([listed(*_CHANNELS[1], is_swapped=False)])
    assert table.leg(_TARGET).born == 95.0
