"""The signal and the words of every outcome. Runs on CPython and on MicroPython."""

from phoneterm.core import outcomes, signals

_OF_THE_BRIDGE = (
    "permission", "destination", "no-call", "not-answered", "ambiguous", "bad-number", "unknown-number", "self",
    "busy-transferring", "stale", "duplicate", "bad-session", "bad-signature", "rate", "caller-gone", "busy",
    "no-answer", "refused-by-target", "unavailable", "congestion", "not-permitted-by-pbx", "pbx-misconfigured",
    "pbx-unreachable", "unsupported", "cancelled",
)  # fmt: skip
_OF_THE_COLLECTOR = (
    "no-such-code", "code-time", "no-number", "digits-missing", "no-such-number", "number-too-long", "wrong-key",
    "too-slow", "key-it-again",
)  # fmt: skip
_STATES = ("accepted", "ringing", "consulting", "done", "returned", "failed", "rejected", "unknown")
_OF_THE_TERMINAL = ("no-link", "no-confirmation", "not-confirmed", "cancel")


def test_every_reason_has_a_signal_and_words_that_fit_the_display():
    for reason in _OF_THE_BRIDGE + _OF_THE_COLLECTOR + _OF_THE_TERMINAL:
        signal, words = outcomes.of_reason(reason)
        assert signal in signals.NAMES
        assert 0 < len(words) <= 16
        assert "-" not in words


def test_reasons_are_told_apart_on_the_display():
    words = [outcomes.of_reason(reason)[1] for reason in _OF_THE_BRIDGE]
    assert len(set(words)) == len(words)


def test_reasons_sound_like_what_the_user_can_do_about_them():
    cases = {
        "permission": "refused-permission", "destination": "refused-permission", "unsupported": "unsupported",
        "unknown-number": "refused-number", "self": "refused-number", "digits-missing": "refused-number",
        "key-it-again": "refused-number", "no-call": "no-call", "caller-gone": "no-call", "stale": "failed",
        "bad-session": "failed", "no-link": "no-link", "not-confirmed": "unknown", "no-confirmation": "failed",
        "cancel": "key", "busy": "failed", "pbx-unreachable": "failed",
    }  # fmt: skip
    for reason, signal in cases.items():
        assert outcomes.of_reason(reason)[0] == signal, reason


def test_every_state_of_a_result_can_be_told_with_and_without_a_reason():
    for state in _STATES:
        for reason in (None, "busy", "unknown-number"):
            signal, line1, line2 = outcomes.of_result(state, reason)
            assert signal == "" or signal in signals.NAMES
            assert 0 < len(line1) <= 16
            assert (line2 == "") == (reason is None)


def test_a_rejected_result_sounds_like_its_reason_and_a_returned_one_like_the_caller():
    assert outcomes.of_result("rejected", "unknown-number") == ("refused-number", "Refused", "unknown number")
    assert outcomes.of_result("failed", "caller-gone") == ("no-call", "Failed", "caller gone")
    assert outcomes.of_result("returned", "busy") == ("returned", "Caller is back", "busy")
    assert outcomes.of_result("unknown", None) == ("unknown", "Outcome unknown", "")
    assert outcomes.of_result("done", None)[0] == "done"
