"""Which of Asterisk's channels a transfer of a call acts on, or why there is none. Does not ask Asterisk anything."""

from phoneterm.core import messages

from phoneterm_bridge.pbx.asterisk.calls import Leg
from phoneterm_bridge.pbx.asterisk.view import CallView
from phoneterm_bridge.pbx.port import Call


def find_leg(view: CallView, call: Call, number: str) -> tuple[Leg | None, str | None]:
    """Return the leg that can be transferred to this number, or the reason why there is none."""
    leg = view.table.leg_of(call.ref)
    if not messages.is_number(number):
        return None, "bad-number"
    if leg is None:
        return None, view.table.why_ended(call.ref)
    if view.running(leg) is not None:
        return None, "busy-transferring"
    state = view.table.call(leg).state
    if state in ("ringing", "dialling"):
        return None, "not-answered"
    if state == "elsewhere" or not view.table.others(leg):
        return None, "no-call"
    return leg, None
