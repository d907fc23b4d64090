"""The drawing task on the real MicroPython VM, with a display that keeps what was asked of it and when."""

import os
import subprocess
import textwrap
from pathlib import Path

from virtual_phone import vm

_STORY = """
import asyncio
from phoneterm.device.screen import Screen

class Display:
    def __init__(self):
        self.left = self.steps = 0
        self.looks = []

    def show(self, line1, line2):
        self.left = 5

    def step(self):
        self.steps += 1
        if not self.left:
            return 0
        self.left -= 1
        self.looks.append(keypad.looks)
        return 1

class Keypad:
    looks = 0

    async def run(self):
        while True:
            self.looks += 1
            await asyncio.sleep_ms(1)

display, keypad = Display(), Keypad()
screen = Screen(display)

async def until_drawn():
    while display.left:
        await asyncio.sleep_ms(1)
    await asyncio.sleep_ms(5)

async def main():
    asyncio.create_task(keypad.run())
    asyncio.create_task(screen.run())
    await asyncio.sleep_ms(5)
    await story()

"""


def tell(tmp_path, story):
    """Run a story to its end and return the lines it printed."""
    path = tmp_path / "story.py"
    path.write_text(_STORY + textwrap.dedent(story) + "\nasyncio.run(main())\n")
    firmware = Path(__file__).parents[2] / "firmware"
    argv, environment = vm.command(path, 160, [firmware])
    done = subprocess.run(argv, env=os.environ | environment, capture_output=True, text=True, timeout=15, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_the_keypad_is_looked_at_between_any_two_steps(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            screen.show("Ready", "")
            await until_drawn()
            print(len(display.looks), len(set(display.looks)))
        """,
    )
    assert lines == ["5 5"]


def test_showing_draws_nothing_by_itself(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            steps = display.steps
            screen.show("Ready", "")
            screen.show("Transfer to", "")
            print(display.steps - steps)
        """,
    )
    assert lines == ["0"]


def test_the_task_sleeps_when_nothing_is_left_to_draw_and_wakes_for_new_lines(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            screen.show("Ready", "")
            await until_drawn()
            steps = display.steps
            await asyncio.sleep_ms(20)
            print(display.steps - steps)
            screen.show("Done", "")
            await until_drawn()
            print(display.steps - steps)
        """,
    )
    assert lines == ["0", "6"]
