"""The acceptance story on VoipNow's stand-in: nothing is faked between the key and the call that moves there.

What VoipNow cannot do is refused with its own tone, before anything is sent.
"""

# ruff: noqa: F401  some tests here are another file's

import pytest
from desk_lab.installation import CALLER, EXTENSION
from pbx_lab.legs import is_gone, is_talking

from e2e.conftest import Place
from e2e.test_acceptance_story import (
    COLLEAGUE,
    count_commands,
    no_sequence_is_tainted,
    test_a_hand_made_command_without_the_permission_is_refused_by_the_bridge,
    test_a_permission_granted_while_the_terminal_runs_works_at_the_next_key,
    test_hash_one_and_a_number_sends_the_caller_there,
    test_the_same_hand_made_command_with_the_permission_is_carried_out,
    test_without_the_permission_the_terminal_itself_refuses_and_the_caller_notices_nothing,
)
from e2e.test_bridge_away import test_what_is_keyed_without_the_bridge_is_refused_and_does_not_happen_when_it_is_back

pytestmark = [
    pytest.mark.asyncio(loop_scope="package"),
    pytest.mark.parametrize("place", [pytest.param(Place("voipnow"), id="voipnow")], indirect=True, scope="package"),
]


async def test_a_number_with_a_star_inside_is_keyed_as_it_is(desk, hand):
    """The star two in it is no code: what began with hash one stays a blind transfer."""
    await hand.key("#10003*102")
    await desk.lab.wait_until(lambda legs: is_talking(legs, CALLER, COLLEAGUE) and is_gone(legs, EXTENSION))
    await desk.keypad.wait_for_signal("done")


async def test_star_two_is_refused_by_the_phone_itself_and_the_caller_notices_nothing(desk, hand):
    before, journalled, acted = await desk.lab.legs(), count_commands(desk), list(desk.lab.acted)
    await hand.key("*2")
    await desk.keypad.wait_for_signal("unsupported")
    assert await desk.lab.legs() == before
    assert count_commands(desk) == journalled
    assert desk.lab.acted == acted
