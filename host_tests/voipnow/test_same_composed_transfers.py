"""Attended transfers on Asterisk, with the same bodies on VoipNow's stand-in, where they are composed.

Not here: what ends by hanging up, because lists do not show who has; swap, which is refused; and what Asterisk tells of
why a colleague was not reached.
"""

# ruff: noqa: F401  every test here is another file's

import pytest
import pytest_asyncio
from pbx.desk import Desk
from pbx.office import Office
from pbx.test_attended import (
    test_a_caller_who_hangs_up_leaves_user_and_colleague_talking,
    test_a_caller_who_hangs_up_while_it_rings_ends_everything,
    test_a_colleague_who_hangs_up_brings_the_caller_back,
    test_a_second_transfer_during_a_consultation_is_refused,
    test_two_transfers_to_one_colleague_do_not_mix,
)
from pbx.test_backends import test_the_terminal_is_told_what_the_pbx_can_do_and_the_rest_is_unsupported
from pbx.test_consultation_situations import (
    test_a_second_transfer_during_a_consultation_is_refused as test_a_second_command_during_a_consultation_is_refused,
)
from pbx.test_consultation_situations import (
    test_a_terminal_whose_caller_hangs_up_is_told_so,
    test_voicemail_that_answers_is_an_answer,
)
from pbx.test_interrupted_situations import (
    test_a_consultation_survives_a_restart_of_the_bridge_and_the_keypad_ends_it,
)
from pbx.test_steering import (
    test_cancel_during_the_consultation_brings_the_caller_back,
    test_cancel_while_it_rings_brings_the_caller_back,
    test_complete_connects_caller_and_colleague,
    test_complete_while_it_rings_is_done_when_the_colleague_answers,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

COMPOSED = ("voipnow.attended=composed",)


@pytest_asyncio.fixture(loop_scope="session")
async def desk(lab, clock):
    """A backend that composes attended transfers, and its reports."""
    async with Desk(lab, clock=clock, changes=COMPOSED) as desk:
        yield desk


@pytest_asyncio.fixture(loop_scope="session")
async def office(lab, tmp_path):
    """A bridge that composes them, and the terminal of extension 101."""
    async with Office(lab, tmp_path, changes=COMPOSED) as office:
        yield office
