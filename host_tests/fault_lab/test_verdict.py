"""The judge of a run: each good end, and each promise that can be broken."""

import pytest
from fault_lab.counting_lab import Done
from fault_lab.verdict import Seen, is_final, is_heard, judge, last_word

ONCE = (Done("blind", "leg-1", 1200.0),)


def see(*words, done=(), results=None, **others):
    """Return the observations of a run in which the display showed these lines."""
    lines = tuple((1000.0 + index, word) for index, word in enumerate(words))
    rest = {"signals": ((1100.0, "done"),), "channel": "leg-1", "commands": 0 if results is None else 1} | others
    asked = rest.get("asked", 1 if done else 0)
    is_gone = rest.get("is_caller_gone", False)
    numbers = (asked, rest["channel"], rest["commands"])
    return Seen("blind", 1000.0, 3000.0, lines, rest["signals"], done, *numbers, results, is_gone)


@pytest.mark.parametrize(
    ("seen", "end"),
    [
        (see("Sent", "Accepted", "Transferred", "Ready", done=ONCE, results=("accepted", "done")), "done"),
        (see("Sent", "Accepted", "No link", done=ONCE, results=("accepted", "unknown")), "done"),
        (see("Sent", "No confirmation", "Transferred", done=ONCE, results=("done",)), "done"),
        (see("No link"), "not-done"),
        (see("Key it again"), "not-done"),
        (see("Sent", "Refused", results=("rejected",)), "not-done"),
        (see("Sent", "No confirmation"), "unknown"),
        (see("Sent", "Not confirmed", "No link", done=ONCE, results=("unknown",)), "unknown"),
        (see("Sent", "No confirmation", results=("rejected",)), "unknown"),
        (see("Sent", "Answered", "Failed", done=ONCE, results=("failed",), is_caller_gone=True), "not-done"),
    ],
)
def test_a_run_that_keeps_the_promises_has_one_of_the_three_ends(seen, end):
    assert judge(seen) == (end, "")


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (see("Sent", "Transferred", done=ONCE * 2, results=("done",)), "2 times"),
        (see("Sent", "Transferred", done=ONCE, asked=2, results=("done",)), "asked 2 times"),
        (see("Sent", "Transferred", done=(Done("blind", "leg-1", 4300.0),), results=("done",)), "300 ms after"),
        (see("Sent", "Transferred", done=(Done("attended", "leg-1", 1.0),), results=("done",)), "instead of blind"),
        (see("Sent", "Transferred", done=(Done("blind", "leg-2", 1.0),), results=("done",)), "the next call"),
        (see("Sent", "Ready"), "said nothing"),
        (see("Sent", "No link"), "said nothing"),
        (see("Sent", "Transferred", done=ONCE, results=("done",), signals=((1.0, "key"),)), "said nothing"),
        (see("Sent", "Transferred"), "PBX did nothing"),
        (see("Sent", "Failed", done=ONCE, results=("done",)), "PBX did it"),
        (see("Sent", "Failed", done=ONCE, results=("failed",)), "PBX did it"),
        (see("Sent", "No confirmation", done=ONCE), "does not know the command"),
        (see("Sent", "No confirmation", done=ONCE, results=("rejected",)), "journal says rejected"),
        (see("Sent", "No confirmation", results=("done",)), "journal says done"),
        (see("Sent", "No confirmation", results=()), "no result"),
        (see("Sent", "No confirmation", results=("rejected",), commands=2), "2 commands"),
    ],
)
def test_a_broken_promise_is_named(seen, why):
    end, sentence = judge(seen)
    assert end == "broken"
    assert why in sentence


def test_what_always_stands_on_the_display_is_no_word_about_the_command():
    assert last_word(((1.0, "Transfer to"), (2.0, "Sent"), (3.0, "Accepted"), (4.0, "Ready"))) == "Accepted"


def test_after_a_final_word_nothing_more_is_waited_for():
    assert [is_final(word) for word in ("", "Accepted", "Ringing", "Transferred", "Not confirmed", "Refused")] == [
        False, False, False, True, True, True
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "is_so"),
    [
        (see(), False),
        (see("Ready", signals=()), False),
        (see("Ready", "Transfer to", "Ready"), True),
        (see("Key it again"), True),
        (see("No link"), True),
        (see(asked=1), True),
        (see(results=("rejected",)), True),
    ],
)
def test_a_command_is_heard_once_anything_shows_a_trace_of_it(seen, is_so):
    assert is_heard(seen) is is_so
