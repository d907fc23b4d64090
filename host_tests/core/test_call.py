"""The table of call states: every state with every event. Runs on CPython and on MicroPython."""

from phoneterm.core import call as calls
from phoneterm.core.call import Call

# The effect of each event, written a second time and in words: state -> next state; all others stay.
_ALWAYS = {"call-idle": "idle", "call-ringing": "ringing", "link-lost": "idle"}
_SENT_OR_ACCEPTED = {"sent": "talking", "accepted": "talking"}
_EXPECTED = {
    "call-talking": {"idle": "talking", "ringing": "talking", "calling": "talking", "consulting": "talking",
                     "done": "talking"},
    "call-consulting": {"idle": "consulting", "ringing": "consulting", "talking": "consulting", "sent": "consulting",
                        "accepted": "consulting", "done": "consulting"},
    "accepted": {"talking": "accepted", "sent": "accepted"},
    "ringing": {"talking": "calling", "sent": "calling", "accepted": "calling"},
    "consulting": {"talking": "consulting", "sent": "consulting", "accepted": "consulting", "calling": "consulting"},
    "done": {"talking": "done", "sent": "done", "accepted": "done", "calling": "done", "consulting": "done"},
    "returned": dict(_SENT_OR_ACCEPTED, calling="talking", consulting="talking"),
    "failed": dict(_SENT_OR_ACCEPTED, calling="talking", consulting="talking"),
    "rejected": _SENT_OR_ACCEPTED,
    "unknown": _SENT_OR_ACCEPTED,
    "timed-out": {"sent": "talking"},
}  # fmt: skip


def in_state(state):
    call = Call()
    call.state = state
    return call


def raises_value_error(call, event):
    try:
        call.move(event)
    except ValueError as error:
        return event in str(error) and call.state in str(error)
    return False


def test_a_terminal_begins_without_a_call():
    assert Call().state == "idle"
    assert Call().ref is None


def test_every_state_and_event_leads_where_the_rules_say():
    pairs = 0
    for state in calls.STATES:
        for event in list(_ALWAYS) + list(_EXPECTED):
            call = in_state(state)
            call.move(event)
            expected = _ALWAYS.get(event) or _EXPECTED[event].get(state, state)
            assert call.state == expected, (state, event, call.state)
            pairs += 1
    assert pairs == 8 * 14


def test_a_transfer_is_sent_from_talking_and_from_nowhere_else():
    for state in calls.STATES:
        call = in_state(state)
        if state == "talking":
            call.move("sent")
            assert call.state == "sent"
        else:
            assert raises_value_error(call, "sent")
            assert call.state == state


def test_an_event_that_does_not_exist_is_our_own_mistake():
    for state in calls.STATES:
        assert raises_value_error(in_state(state), "no-such-event")


def test_a_transfer_can_start_while_talking_only_and_otherwise_there_is_a_reason():
    reasons = {state: in_state(state).obstacle() for state in calls.STATES}
    assert reasons == {
        "idle": "no-call", "ringing": "not-answered", "talking": None, "sent": "busy-transferring",
        "accepted": "busy-transferring", "calling": "busy-transferring", "consulting": "busy-transferring",
        "done": "no-call",
    }  # fmt: skip


def test_the_caller_is_on_hold_while_the_colleague_rings_and_talks():
    assert [state for state in calls.STATES if in_state(state).is_consulting()] == ["calling", "consulting"]
