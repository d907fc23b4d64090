"""The link's memory of commands: core.link. Runs on CPython and on MicroPython."""

from phoneterm.core.link import ANSWER_MS, MOST_COMMANDS, Link
from phoneterm.core.terminal import Identity


def link_in_session():
    link = Link(Identity("desk-1", "phoneterm", b"k" * 32, "9f3c21aa", "0.1.0", "VIRTUAL", None))
    link.begin_session({"boot": "9f3c21aa", "session": "s"})
    return link


def send(link, op):
    return link.command(op, None, 0, "c1")


def test_a_command_that_nobody_answers_is_late_once():
    link = link_in_session()
    send(link, "blind")
    assert link.late_command(ANSWER_MS - 1) is None
    assert link.late_command(1) == "s.1"
    assert link.late_command(ANSWER_MS) is None


def test_an_answered_command_is_never_late():
    link = link_in_session()
    send(link, "blind")
    assert link.answer("s.1") == ("blind", True)
    assert link.late_command(ANSWER_MS) is None


def test_a_late_answer_is_still_known_as_ours():
    link = link_in_session()
    send(link, "attended")
    link.late_command(ANSWER_MS)
    assert link.answer("s.1") == ("attended", False)


def test_an_answer_to_a_command_of_somebody_else_is_nobodys():
    link = link_in_session()
    send(link, "blind")
    assert link.answer("s.2") == (None, False)
    assert link.answer("") == (None, False)


def test_only_the_last_few_are_remembered():
    link = link_in_session()
    for number in range(MOST_COMMANDS + 1):
        send(link, "swap")
        link.answer(f"s.{number + 1}")
    assert link.answer("s.1") == (None, False)
    assert link.answer("s.2") == ("swap", False)


def test_it_is_full_while_the_oldest_of_the_last_few_waits():
    link = link_in_session()
    for _ in range(MOST_COMMANDS):
        assert not link.is_full()
        send(link, "swap")
    assert link.is_full()
    try:
        send(link, "swap")
    except ValueError as error:
        assert "4 commands" in str(error)
    else:
        raise AssertionError("no ValueError")
    link.answer("s.1")
    assert not link.is_full()


def test_giving_up_says_whether_one_did_wait():
    link = link_in_session()
    assert not link.give_up()
    send(link, "blind")
    assert link.give_up()
    assert not link.give_up()
    assert link.late_command(ANSWER_MS) is None
    assert link.answer("s.1") == ("blind", False)
