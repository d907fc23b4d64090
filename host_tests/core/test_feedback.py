"""What stands and what is told: core.feedback. Runs on CPython and on MicroPython."""

from phoneterm.core.actions import Indicate, Show
from phoneterm.core.feedback import NOTICE_MS, SAME_MS, Feedback


def done(work):
    """Return what a call appended, as short text: signals, and lines in brackets."""
    actions = []
    work(actions)
    return [
        action.signal if isinstance(action, Indicate) else f"[{action.line1}|{action.line2}]"
        for action in actions
        if isinstance(action, (Indicate, Show))
    ]


def standing(signal):
    feedback = Feedback()
    feedback.stand(signal, [])
    return feedback


def test_a_standing_signal_is_indicated_once_with_its_text():
    feedback = Feedback()
    assert done(lambda actions: feedback.stand("ready", actions)) == ["ready", "[Ready|]"]
    assert done(lambda actions: feedback.stand("ready", actions)) == []


def test_a_message_stays_for_a_while_and_then_the_standing_text_comes_back():
    feedback = standing("ready")
    assert done(lambda actions: feedback.tell("done", "Transferred", "", actions)) == ["done", "[Transferred|]"]
    assert done(lambda actions: feedback.on_time(NOTICE_MS - 1, actions)) == []
    assert done(lambda actions: feedback.on_time(1, actions)) == ["[Ready|]"]
    assert done(lambda actions: feedback.on_time(NOTICE_MS, actions)) == []


def test_a_new_standing_signal_does_not_wipe_a_message_off_the_display():
    feedback = standing("ready")
    feedback.tell(None, "Ringing", "", [])
    assert done(lambda actions: feedback.stand("consulting", actions)) == ["consulting"]
    assert done(lambda actions: feedback.on_time(NOTICE_MS, actions)) == ["[Caller on hold|A join  C back]"]


def test_the_same_news_twice_at_once_is_heard_once():
    feedback = standing("ready")
    feedback.tell("returned", "Caller is back", "", [])
    assert done(lambda actions: feedback.tell("returned", "Caller is back", "busy", actions)) == [
        "[Caller is back|busy]"
    ]
    assert done(lambda actions: feedback.tell("failed", "Failed", "", actions)) == ["failed", "[Failed|]"]


def test_the_same_news_a_second_later_is_heard_again():
    feedback = standing("ready")
    feedback.tell("no-call", "No call", "", [])
    feedback.on_time(SAME_MS, [])
    assert done(lambda actions: feedback.tell("no-call", "No call", "", actions)) == ["no-call", "[No call|]"]


def test_a_text_without_a_signal_is_only_shown():
    feedback = standing("ready")
    assert done(lambda actions: feedback.tell(None, "Sent", "102", actions)) == ["[Sent|102]"]


def test_of_a_long_number_the_last_digits_are_shown():
    feedback = standing("open")
    assert done(lambda actions: feedback.show("Transfer to", "12345678901234567890", actions)) == [
        "[Transfer to|5678901234567890]"
    ]


def test_every_standing_signal_has_a_text_that_fits():
    for signal in ("starting", "no-link", "ready", "keypad-fault", "open", "consulting"):
        indicated, shown = done(lambda actions, signal=signal: Feedback().stand(signal, actions))
        assert indicated == signal
        assert len(shown) <= 16 + 16 + 3
