"""The desk in a terminal: it fits any size, keys and mouse press the phone's keys, the terminal is left as it was."""

import asyncio
import signal
import sys
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from attack_lab.scenery.waiting import until
from desk_lab.installation import CALLER
from desk_lab.screen.drawing import LEAST_HEIGHT, LEAST_WIDTH, draw
from desk_lab.screen.full_screen import FullScreen
from lab_parts.free_port import free_port, free_ports
from left_running import left_running
from pbx_lab.legs import are_alone
from phone_page.conftest import BOTH, HandOnPage
from phone_page.terminal import ALTERNATE, Terminal
from phoneterm_cli.main import make_app
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from typer.testing import CliRunner

_COMMAND = Path(sys.executable).with_name("phoneterm")
on_both = pytest.mark.parametrize("desk", BOTH, indirect=True)


@pytest_asyncio.fixture(loop_scope="session")
async def screen(desk):
    """The full screen on a terminal of 80 x 40 that nobody sees; `enter` presses keys of its keyboard."""
    with create_pipe_input() as source:
        full_screen = FullScreen(desk.desk, source, DummyOutput())
        full_screen.enter = source.send_text
        showing = asyncio.create_task(full_screen.run())
        await asyncio.sleep(0)
        yield full_screen
        source.send_text("q")
        await showing


def seen(desk, **options):
    return draw(desk.desk, 80, 40, **options).canvas.text()


async def until_seen(desk, words):
    await until(lambda: words in seen(desk))


@on_both
async def test_the_whole_story_on_the_keyboard(desk, screen, note):
    async def press(legend):
        screen.enter(legend.lower())

    assert "A  101 ━━ 103  talking" in seen(desk)
    await HandOnPage(desk, note, press).key("*2102")
    await until_seen(desk, "A  103  on hold")
    await until_seen(desk, "B  101 ━━ 102  talking")
    assert "A  is on hold: 101 is in call B" in seen(desk)
    screen.enter("h")  # at 101, which is chosen first
    await until_seen(desk, "A  102 ━━ 103  talking")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, "102"))


async def test_the_others_ring_are_answered_hold_and_are_busy(desk, screen):
    screen.enter("h")
    await until(lambda: not desk.desk.picture.calls)
    screen.enter("n")
    await until_seen(desk, "101 next call only rings")
    screen.enter("\t\tr")  # 103 rings 101
    await until_seen(desk, "101 ┈┈ 103  ringing")
    screen.enter("\x1b[Z\x1b[Z")  # back to 101
    screen.enter("p")
    await until_seen(desk, "101 ━━ 103  talking")
    screen.enter("o")
    await until_seen(desk, "101 ╌╌ 103  on hold")
    screen.enter("o")
    await until_seen(desk, "101 ━━ 103  talking")
    screen.enter("t")
    await until_seen(desk, "101 may not transfer")
    screen.enter("\tp")
    await until(lambda: screen._said == "Nothing rings at 102.")
    assert "Nothing rings at 102." in seen(desk, said=screen._said)


async def test_a_mouse_holds_a_key(desk, screen):
    await until(lambda: "5" in screen._keys.values())
    x, y = next(place for place, legend in screen._keys.items() if legend == "5")
    screen.enter(f"\x1b[<0;{x + 1};{y + 1}M")
    await until(lambda: desk.phone.matrix.closed == {(1, 1)})
    await until(lambda: desk.desk.phone.keys_down == {"5"})
    screen.enter("\x1b[<0;1;1m")
    await until(lambda: not desk.phone.matrix.closed)


async def test_it_fits_into_any_terminal(desk):
    for width in (1, 20, LEAST_WIDTH, 50, 71, 72, 80, 200):
        for height in (1, LEAST_HEIGHT - 1, LEAST_HEIGHT, 24, 60):
            drawing = draw(desk.desk, width, height, said="It does not work." * 9)
            lines = drawing.canvas.lines()
            assert [sum(len(text) for _, text in line) for line in lines] == [width] * height
            is_enough = width >= LEAST_WIDTH and height >= LEAST_HEIGHT
            assert set(drawing.keys.values()) == (set("123A456B789C*0#D") if is_enough else set())
            assert all(0 <= x < width and 0 <= y < height for x, y in drawing.keys)


WAYS_OUT = (b"q", b"\x03", b"\x04", signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.mark.parametrize("way_out", WAYS_OUT, ids=str)
async def test_whatever_ends_it_the_terminal_is_as_before_and_nothing_is_left(way_out):
    names = ("--broker-port", "--control-port")
    ports = [word for pair in zip(names, map(str, free_ports(len(names))), strict=True) for word in pair]
    async with Terminal(_COMMAND, "phone", *ports) as terminal:
        await terminal.until(b"talks to")
        assert ALTERNATE in terminal.written
        assert not terminal.is_as_before
        terminal.resize(20, 5)
        terminal.process.send_signal(signal.SIGWINCH)
        await terminal.until(f"Needs {LEAST_WIDTH} x {LEAST_HEIGHT}"[:20].encode())
        children = psutil.Process(terminal.process.pid).children(recursive=True)
        assert children
        if isinstance(way_out, bytes):
            terminal.enter(way_out)
        else:
            terminal.process.send_signal(way_out)
        await terminal.until(b"Stopped.")
        assert await terminal.process.wait() == 0
        assert terminal.is_as_before
        alive = await asyncio.to_thread(left_running, children, 30)
        assert not alive


@pytest.mark.parametrize("kind", ["dumb", "unknown"])
async def test_a_terminal_that_can_only_print_gets_one_sentence(kind):
    async with Terminal(_COMMAND, "phone", kind=kind) as terminal:
        assert await terminal.process.wait() == 1
        said = f"A terminal of the kind {kind} cannot show the full screen; phoneterm run does without."
        await terminal.until(said.encode())
        assert ALTERNATE not in terminal.written


def test_without_a_terminal_one_sentence_says_what_needs_none():
    done = CliRunner().invoke(make_app(("phone",)), ["phone"])
    assert done.exit_code == 1
    assert done.output == "The full screen needs a terminal; phoneterm run serves a page, and needs none.\n"


def test_a_word_after_it_still_does_one_thing_to_a_phone():
    port = str(free_port())
    done = CliRunner().invoke(make_app(("phone",)), ["phone", "press", "5", "--control", port])
    assert (done.exit_code, done.output) == (1, f"No phone listens on 127.0.0.1:{port}.\n")
