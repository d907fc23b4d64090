"""Standing and momentary signals: core.feedback. Runs on CPython and on MicroPython."""

from phoneterm.core.actions import Indicate, Show
from phoneterm.core.feedback import NOTICE_MS, SAME_MS, Feedback


def feedback_with(standing):
    feedback = Feedback()
    feedback.stand(standing)
    return feedback


def texts(done):
    """Return actions as a short text: signals, and lines in brackets."""
    for action in done:
        assert isinstance(action, (Indicate, Show))
    return [action.signal if isinstance(action, Indicate) else f"[{action.line1}|{action.line2}]" for action in done]


def test_a_standing_signal_is_indicated_once_with_its_text():
    feedback = Feedback()
    assert texts(feedback.stand("ready")) == ["ready", "[Ready|]"]
    assert texts(feedback.stand("ready")) == []


def test_a_message_stays_for_a_while_and_then_the_standing_text_comes_back():
    feedback = feedback_with("ready")
    assert texts(feedback.announce("done", "Transferred", "")) == ["done", "[Transferred|]"]
    assert texts(feedback.on_time(NOTICE_MS - 1)) == []
    assert texts(feedback.on_time(1)) == ["[Ready|]"]
    assert texts(feedback.on_time(NOTICE_MS)) == []


def test_a_new_standing_signal_does_not_wipe_a_message_off_the_display():
    feedback = feedback_with("ready")
    feedback.announce(None, "Ringing", "")
    assert texts(feedback.stand("consulting")) == ["consulting"]
    assert texts(feedback.on_time(NOTICE_MS)) == ["[Caller on hold|A join  C back]"]


def test_the_same_news_twice_at_once_is_heard_once():
    feedback = feedback_with("ready")
    feedback.announce("returned", "Caller is back", "")
    assert texts(feedback.announce("returned", "Caller is back", "busy")) == ["[Caller is back|busy]"]
    assert texts(feedback.announce("failed", "Failed", "")) == ["failed", "[Failed|]"]


def test_the_same_news_a_second_later_is_heard_again():
    feedback = feedback_with("ready")
    feedback.announce("no-call", "No call", "")
    feedback.on_time(SAME_MS)
    assert texts(feedback.announce("no-call", "No call", "")) == ["no-call", "[No call|]"]


def test_a_text_without_a_signal_is_only_shown():
    feedback = feedback_with("ready")
    assert texts(feedback.announce(None, "Sent", "102")) == ["[Sent|102]"]


def test_of_a_long_number_the_last_digits_are_shown():
    feedback = feedback_with("open")
    assert texts(feedback.show("Transfer to", "12345678901234567890")) == ["[Transfer to|5678901234567890]"]


def test_every_standing_signal_has_a_text_that_fits():
    for signal in ("starting", "no-link", "ready", "keypad-fault", "open", "consulting"):
        feedback = Feedback()
        indicated, shown = texts(feedback.stand(signal))
        assert indicated == signal
        assert len(shown) <= 16 + 16 + 3
