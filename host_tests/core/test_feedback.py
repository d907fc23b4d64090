"""What stands and what is told: core.feedback. Runs on CPython and on MicroPython."""

from phoneterm.core.actions import Indicate, Show
from phoneterm.core.feedback import NOTICE_MS, SAME_MS, Feedback


class Face:
    """A Feedback, and what it has appended since it was last asked, as short text: signals, and lines in brackets."""

    def __init__(self, standing=None):
        self._out = []
        self.feedback = Feedback(self._out)
        if standing:
            self.feedback.stand(standing)
            self._out.clear()

    def done(self):
        """Return the text of every action, and forget them."""
        texts = []
        for action in self._out:
            assert isinstance(action, (Indicate, Show))
            is_signal = isinstance(action, Indicate)
            texts.append(action.signal if is_signal else f"[{action.line1}|{action.line2}]")
        self._out.clear()
        return texts


def test_a_standing_signal_is_indicated_once_with_its_text():
    face = Face()
    face.feedback.stand("ready")
    assert face.done() == ["ready", "[Ready|]"]
    face.feedback.stand("ready")
    assert face.done() == []


def test_a_message_stays_for_a_while_and_then_the_standing_text_comes_back():
    face = Face("ready")
    face.feedback.tell("done", "Transferred", "")
    assert face.done() == ["done", "[Transferred|]"]
    face.feedback.on_time(NOTICE_MS - 1)
    assert face.done() == []
    face.feedback.on_time(1)
    assert face.done() == ["[Ready|]"]
    face.feedback.on_time(NOTICE_MS)
    assert face.done() == []


def test_a_new_standing_signal_does_not_wipe_a_message_off_the_display():
    face = Face("ready")
    face.feedback.tell(None, "Ringing", "")
    face.done()
    face.feedback.stand("consulting")
    assert face.done() == ["consulting"]
    face.feedback.on_time(NOTICE_MS)
    assert face.done() == ["[Caller on hold|A join  C back]"]


def test_the_same_news_twice_at_once_is_heard_once():
    face = Face("ready")
    face.feedback.tell("returned", "Caller is back", "")
    face.done()
    face.feedback.tell("returned", "Caller is back", "busy")
    assert face.done() == ["[Caller is back|busy]"]
    face.feedback.tell("failed", "Failed", "")
    assert face.done() == ["failed", "[Failed|]"]


def test_the_same_news_a_second_later_is_heard_again():
    face = Face("ready")
    face.feedback.tell("no-call", "No call", "")
    face.done()
    face.feedback.on_time(SAME_MS)
    face.done()
    face.feedback.tell("no-call", "No call", "")
    assert face.done() == ["no-call", "[No call|]"]


def test_a_text_without_a_signal_is_only_shown():
    face = Face("ready")
    face.feedback.tell(None, "Sent", "102")
    assert face.done() == ["[Sent|102]"]


def test_of_a_long_number_the_last_digits_are_shown():
    face = Face("open")
    face.feedback.show("Transfer to", "12345678901234567890")
    assert face.done() == ["[Transfer to|5678901234567890]"]


def test_every_standing_signal_has_a_text_that_fits():
    for signal in ("starting", "no-link", "ready", "keypad-fault", "open", "consulting"):
        face = Face()
        face.feedback.stand(signal)
        indicated, shown = face.done()
        assert indicated == signal
        assert len(shown) <= 16 + 16 + 3
