"""Tests of transfers that say nothing of Asterisk, with the same bodies on VoipNow's stand-in.

Only what VoipNow can do is here: it has no attended transfer, and does not tell which numbers there are, who left a
call first, or why a caller was not answered who was sent away.
"""

# ruff: noqa: F401  every test here is another file's

import pytest
from pbx.test_backends import (
    test_a_call_that_rings_and_no_call_are_refused,
    test_a_caller_is_sent_to_a_colleague,
    test_the_terminal_is_told_what_the_pbx_can_do_and_the_rest_is_unsupported,
)
from pbx.test_blind import (
    test_a_busy_number_does_not_bring_the_user_back,
    test_a_call_that_still_rings_cannot_be_transferred,
    test_a_user_who_called_somebody_transfers_whom_she_called,
    test_an_endpoint_is_compared_exactly,
    test_the_caller_talks_to_the_number_and_the_user_is_out,
    test_the_number_may_lie_outside,
)
from pbx.test_interrupted_situations import test_of_two_bridges_on_one_store_exactly_one_acts
from pbx.test_left_alone import (
    test_a_command_of_an_older_session_is_refused,
    test_a_command_older_than_its_time_to_live_is_refused,
    test_a_command_that_comes_twice_is_one_transfer_with_the_same_result_twice,
    test_a_command_under_another_terminals_topic_is_refused_even_if_the_broker_lets_it_through,
    test_a_permission_that_is_flipped_in_mid_call_counts_for_the_next_command,
    test_a_retained_command_is_dropped,
    test_a_wrong_signature_is_not_answered,
    test_an_extension_of_another_type_transfers_nothing,
    test_another_extensions_call_cannot_be_named,
    test_no_field_can_break_into_the_stream_to_the_pbx,
)
from pbx.test_situations import (
    test_a_blind_transfer_is_done_and_the_journal_says_that_it_was_answered,
    test_a_call_on_hold_is_not_taken_for_the_one_that_the_user_is_about_to_have,
    test_a_call_that_the_user_holds_is_transferred_when_it_is_the_only_one,
    test_a_number_outside_is_called_once_its_class_is_allowed,
    test_a_number_that_the_caller_only_displays_is_a_target_and_the_callers_line_is_none,
    test_neither_oneself_nor_whom_one_talks_to_is_a_target,
    test_of_two_calls_the_one_that_the_phone_does_not_hold_is_transferred,
    test_of_two_live_calls_none_is_taken,
    test_what_is_keyed_before_the_call_is_answered_is_refused,
    test_what_is_keyed_without_a_call_is_refused,
    test_whom_the_user_called_can_be_sent_on_and_followed_too,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")
