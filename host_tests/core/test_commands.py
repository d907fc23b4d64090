"""What is remembered of commands: core.commands. Runs on CPython and on MicroPython."""

from phoneterm.core.commands import ANSWER_MS, MOST, Commands


def test_a_command_that_nobody_answers_is_late_once():
    commands = Commands()
    commands.add("s.1", "blind")
    assert commands.on_time(ANSWER_MS - 1) is None
    assert commands.on_time(1) == "s.1"
    assert commands.on_time(ANSWER_MS) is None


def test_an_answered_command_is_never_late():
    commands = Commands()
    commands.add("s.1", "blind")
    assert commands.answer("s.1") == ("blind", True)
    assert commands.on_time(ANSWER_MS) is None


def test_a_late_answer_is_still_known_as_ours():
    commands = Commands()
    commands.add("s.1", "attended")
    commands.on_time(ANSWER_MS)
    assert commands.answer("s.1") == ("attended", False)


def test_an_answer_to_a_command_of_somebody_else_is_nobodys():
    commands = Commands()
    commands.add("s.1", "blind")
    assert commands.answer("s.2") == (None, False)
    assert commands.answer("") == (None, False)


def test_only_the_last_few_are_remembered():
    commands = Commands()
    for number in range(MOST + 1):
        commands.add(f"s.{number}", "swap")
        commands.answer(f"s.{number}")
    assert commands.answer("s.0") == (None, False)
    assert commands.answer("s.1") == ("swap", False)


def test_it_is_full_while_the_oldest_of_the_last_few_waits():
    commands = Commands()
    for number in range(MOST):
        assert not commands.is_full()
        commands.add(f"s.{number}", "swap")
    assert commands.is_full()
    try:
        commands.add("s.9", "swap")
    except ValueError as error:
        assert "s.9" in str(error)
    else:
        raise AssertionError("no ValueError")
    commands.answer("s.0")
    assert not commands.is_full()


def test_giving_up_says_whether_one_did_wait():
    commands = Commands()
    assert not commands.give_up()
    commands.add("s.1", "blind")
    assert commands.give_up()
    assert not commands.give_up()
    assert commands.on_time(ANSWER_MS) is None
    assert commands.answer("s.1") == ("blind", False)
