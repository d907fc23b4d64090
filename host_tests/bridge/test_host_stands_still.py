"""The bridge's host stands still, or its clock is set: nothing is late, and the next transfer works without a failure.

Each case says what the clocks of the host show of a pause that the terminal and everybody else have lived through.
"""

import time

import pytest
from attack_lab.scenery.moved_clocks import AT_COMMANDS, HOUR_S, SEEN, MovedClocks
from bridge.real_phone import RealPhone
from phoneterm.core import messages
from phoneterm_bridge.cli.why import answer_why
from phoneterm_bridge.settings.timing import Timing
from phoneterm_bridge.terminals.host_clock import HostClock, Reading, read_clocks

_QUICK = Timing(look_every_s=0.05)


@pytest.fixture
def clocks():
    """The host's clocks, which go right."""
    return MovedClocks()


@pytest.fixture(params=["link in memory", "embedded broker"])
def is_embedded(request):
    """Say whether the bridge has the embedded broker; it has a link in memory otherwise."""
    return request.param == "embedded broker"


@pytest.fixture
async def moved_scene(is_embedded, tmp_path, make, clocks):
    """A running bridge on clocks that a test can move, once on a link in memory and once with the embedded broker."""
    scene = await make.Scene(tmp_path, is_embedded, timing=_QUICK, clock=HostClock(clocks.read)).start()
    yield scene
    await scene.stop()


@pytest.fixture
async def quick_scene(tmp_path, make, clocks):
    """As `moved_scene`, on a link in memory."""
    scene = await make.Scene(tmp_path, timing=_QUICK, clock=HostClock(clocks.read)).start()
    yield scene
    await scene.stop()


@pytest.fixture
async def patient_scene(is_embedded, tmp_path, make, clocks):
    """As `moved_scene`, but the bridge looks at its clocks only at commands, not in between."""
    scene = await make.Scene(tmp_path, is_embedded, timing=AT_COMMANDS, clock=HostClock(clocks.read)).start()
    yield scene
    await scene.stop()


@pytest.fixture
async def blind_scene(tmp_path, make, clocks):
    """As `patient_scene`, on a link in memory."""
    scene = await make.Scene(tmp_path, timing=AT_COMMANDS, clock=HostClock(clocks.read)).start()
    yield scene
    await scene.stop()


async def greeted(scene):
    terminal = await scene.terminal()
    await terminal.hello()
    return terminal


def live_through(terminal, pause_s):
    """Let time pass for a terminal."""
    terminal.session_s -= pause_s


def sessions_of(terminal):
    return [document["session"] for document in terminal.heard(messages.SESSION)]


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("pause_s", [5, 20, 600])
async def test_after_a_pause_every_terminal_gets_a_new_session_unasked_and_the_next_transfer_works(
    moved_scene, make, clocks, pause_s, seen
):
    terminal = await greeted(moved_scene)
    clocks.move(*SEEN[seen](pause_s))
    live_through(terminal, pause_s)
    await make.until(lambda: len(sessions_of(terminal)) == 2)
    assert terminal.heard(messages.SESSION)[1]["boot"] == terminal.boot
    terminal.use_new_session()
    assert await terminal.ask() == ("accepted", None)
    assert len(moved_scene.pbx.asked) == 1


@pytest.mark.parametrize("seen", ["a suspended host", "a frozen host whose wall clock was put right"])
@pytest.mark.parametrize("pause_s", [5, 20, 600])
async def test_a_command_keyed_after_the_pause_works_even_before_the_new_session(blind_scene, clocks, pause_s, seen):
    terminal = await greeted(blind_scene)
    clocks.move(*SEEN[seen](pause_s))
    live_through(terminal, pause_s)
    assert await terminal.ask() == ("accepted", None)


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("pause_s", [20, 600])
async def test_what_was_keyed_before_the_pause_is_not_carried_out_after_it(moved_scene, make, clocks, pause_s, seen):
    terminal = await greeted(moved_scene)
    keyed_before = terminal.command()
    clocks.move(*SEEN[seen](pause_s))
    await terminal.send(messages.COMMAND, keyed_before)
    await make.until(lambda: terminal.results(keyed_before["id"]))
    assert terminal.results(keyed_before["id"]) == [("rejected", "stale")]
    assert moved_scene.pbx.asked == []
    await make.until(lambda: len(sessions_of(terminal)) >= 2)


@pytest.mark.parametrize("seen", SEEN)
async def test_what_was_keyed_before_the_pause_is_stale_after_the_new_session_too(quick_scene, make, clocks, seen):
    terminal = await greeted(quick_scene)
    keyed_before = terminal.command()
    clocks.move(*SEEN[seen](20))
    await make.until(lambda: len(sessions_of(terminal)) == 2)
    await terminal.send(messages.COMMAND, keyed_before)
    assert terminal.results(keyed_before["id"]) == [("rejected", "stale")]
    assert quick_scene.pbx.asked == []
    assert answer_why(quick_scene.engine, "101", None)["command"]["cause"] == "clocks-apart"


async def test_a_command_that_is_being_checked_when_the_host_stands_still_is_not_carried_out(blind_scene, clocks):
    terminal = await greeted(blind_scene)

    async def stand_still(context, number):
        clocks.move(20, 20)
        return True

    blind_scene.pbx.is_known_number = stand_still
    assert await terminal.ask() == ("rejected", "stale")
    assert blind_scene.pbx.asked == []


@pytest.mark.parametrize("pause_s", [5, 20, 600])
async def test_a_pause_that_no_clock_shows_is_noticed_at_the_first_command_and_the_next_one_works(
    moved_scene, make, pause_s
):
    terminal = await greeted(moved_scene)
    live_through(terminal, pause_s)
    assert await terminal.ask() == ("rejected", "stale")
    assert "had run apart" in answer_why(moved_scene.engine, "101", None)["sentence"]
    await make.until(lambda: len(sessions_of(terminal)) == 2)
    terminal.use_new_session()
    assert await terminal.ask() == ("accepted", None)


async def test_a_terminal_that_never_got_its_new_session_gets_another_one(quick_scene, make, clocks):
    terminal = await greeted(quick_scene)
    clocks.move(20, 20)
    await make.until(lambda: len(sessions_of(terminal)) == 2)
    assert await terminal.ask() == ("rejected", "stale")
    await make.until(lambda: len(sessions_of(terminal)) == 3)
    terminal.use_new_session()
    assert await terminal.ask() == ("accepted", None)


async def test_what_one_terminals_clock_shows_gives_no_other_terminal_a_new_session(quick_scene, make):
    quick_scene.directory.add_extension("102", "tech1")
    enrolment = quick_scene.directory.add_terminal("phone-102", "102")
    await quick_scene.bridge.refresh()
    terminal, other = await greeted(quick_scene), await quick_scene.terminal(enrolment)
    await other.hello()
    live_through(terminal, 20)
    assert await terminal.ask() == ("rejected", "stale")
    await make.until(lambda: len(sessions_of(terminal)) == 2)
    assert len(sessions_of(other)) == 1


async def test_a_wall_clock_put_forward_by_an_hour_costs_only_what_was_under_way(patient_scene, make, clocks):
    terminal = await greeted(patient_scene)
    under_way = terminal.command()
    clocks.move(0, HOUR_S)
    assert await terminal.ask_with(under_way) == ("rejected", "stale")
    await make.until(lambda: len(sessions_of(terminal)) == 2)
    terminal.use_new_session()
    assert await terminal.ask() == ("accepted", None)
    assert len(patient_scene.pbx.asked) == 1


async def test_a_wall_clock_put_back_by_an_hour_is_no_pause_and_hides_none(moved_scene, make, clocks):
    terminal = await greeted(moved_scene)
    clocks.move(0, -HOUR_S)
    assert await terminal.ask() == ("accepted", None)
    moved_scene.pbx.listener.on_progress("c1", "done", None)
    assert len(sessions_of(terminal)) == 1
    keyed_before = terminal.command()
    clocks.move(0, 20)  # a frozen host, put right by as much as it had stood still
    await terminal.send(messages.COMMAND, keyed_before)
    await make.until(lambda: terminal.results(keyed_before["id"]))
    assert terminal.results(keyed_before["id"]) == [("rejected", "stale")]


async def test_a_call_that_came_after_the_first_key_is_not_touched_after_a_pause_either(blind_scene, make, clocks):
    terminal = await greeted(blind_scene)
    clocks.move(20, 20)
    live_through(terminal, 20)
    fields = terminal.command(call=None)
    blind_scene.pbx.change_calls("101", make.talking("c2", since_s=time.monotonic() + 0.01))
    await terminal.send(messages.COMMAND, fields)
    assert terminal.results(fields["id"]) == [("rejected", "no-call")]


# The phone's own core.


@pytest.fixture
async def phone(quick_scene):
    """The real phone, ready."""
    phone = RealPhone(quick_scene)
    await phone.set_link(True)
    await phone.wait(100)
    assert phone.signals[-1] == "ready"
    return phone


async def hear_new_session(scene, make, phone):
    """Wait until the bridge has sent a session unasked, and let the phone hear it."""
    topic = messages.topic_of("phoneterm", "phone-101", messages.SESSION)
    await make.until(lambda: [where for where, *_ in scene.link.published].count(topic) == 2)
    await phone.hear()


@pytest.mark.parametrize("seen", SEEN)
async def test_the_phone_goes_on_with_the_new_session_and_its_next_transfer_works(
    quick_scene, make, clocks, phone, seen
):
    clocks.move(*SEEN[seen](20))
    await phone.wait(20_000)
    await hear_new_session(quick_scene, make, phone)
    await phone.key("#1102A")
    assert len(quick_scene.pbx.asked) == 1
    assert "failed" not in phone.signals


async def test_the_phone_whose_clock_alone_shows_the_pause_works_at_the_second_try(quick_scene, make, phone):
    await phone.wait(20_000)
    await phone.key("#1102A")
    assert quick_scene.pbx.asked == []
    refusal = messages.topic_of("phoneterm", "phone-101", messages.RESULT)
    await make.until(lambda: refusal in [where for where, *_ in quick_scene.link.published])
    await phone.hear()
    assert "failed" in phone.signals
    await hear_new_session(quick_scene, make, phone)
    await phone.wait(800)
    await phone.key("#1102A")
    assert len(quick_scene.pbx.asked) == 1


# The clock itself.


@pytest.mark.parametrize(
    ("steps", "now_s", "jumps"),
    [
        ([(1, 1, 1)], 1, 0),
        ([(1, 21, 21)], 21, 1),
        ([(0, 0, 20)], 20, 1),
        ([(0, 20, 20), (0, 0, 5)], 25, 2),  # put right twice
        ([(1, 1, -3600), (1, 21, 21)], 22, 1),
        ([(1, 1, 3601)], 3601, 1),
        ([(0.1, 0.1, 0.4)] * 5, 0.5, 0),  # slewed
        ([(1, 1, 0.9)] * 20, 20, 0),
        ([(0, 0.1, 0.1)] * 5, 0.5, 0),
    ],
)
def test_the_older_answer_of_the_clocks_counts(steps, now_s, jumps):
    reading = [Reading(0.0, 50.0, 1e9)]
    clock = HostClock(lambda: reading[0])
    for step in steps:
        reading[0] = Reading(*(value + passed for value, passed in zip(reading[0], step, strict=True)))
        seen_s = clock.now_s()
    assert (seen_s, clock.jumps) == (pytest.approx(now_s), jumps)


def test_the_clock_of_this_host_never_goes_back():
    clock = HostClock()
    looks = [clock.now_s() for _ in range(1000)]
    assert looks == sorted(looks)


class Ticking:
    """Clocks that are read one after the other, on a computer that lets the reader wait after its nth look."""

    def __init__(self, waits):
        self._waits = waits  # look -> seconds
        self._looks = 0
        self._true_s = self.seen_s = 0.0

    def read(self):
        self._looks += 1
        self.seen_s = self._true_s
        self._true_s += self._waits(self._looks)
        return self.seen_s


@pytest.mark.parametrize("look", range(1, 13))
def test_a_reader_who_has_to_wait_between_two_clocks_reads_them_again(look):
    ticking = Ticking(lambda number: 3.0 if number == look else 0.0)
    clock = HostClock(lambda: read_clocks(ticking.read, ticking.read, ticking.read))
    for _ in range(3):
        assert clock.now_s() == ticking.seen_s
    assert clock.jumps == 0


def test_a_computer_on_which_every_reader_waits_still_has_a_time():
    ticking = Ticking(lambda number: 1.0)
    before = read_clocks(ticking.read, ticking.read, ticking.read)
    assert read_clocks(ticking.read, ticking.read, ticking.read).steady_s > before.steady_s
