"""Stories about the task that draws: micropython screen_stories.py STORY.

Does not judge, or draw: the display records its calls and their times, and a story prints them.
"""

import asyncio
import sys

from phoneterm.device.screen import Screen


class Keypad:
    """Counts the looks at it."""

    looks = 0

    async def run(self):
        while True:
            self.looks += 1
            await asyncio.sleep_ms(1)


class Display:
    """Needs five steps to show something; `looks`: the looks at the keypad before each step."""

    def __init__(self, keypad):
        self.keypad = keypad
        self.left = self.steps = 0
        self.looks = []

    def show(self, line1, line2):
        self.left = 5

    def step(self):
        self.steps += 1
        if not self.left:
            return 0
        self.left -= 1
        self.looks.append(self.keypad.looks)
        return 1

    async def until_drawn(self):
        while self.left:
            await asyncio.sleep_ms(1)
        await asyncio.sleep_ms(5)


async def one_screen(display, screen):
    screen.show("Ready", "")
    await display.until_drawn()
    print(len(display.looks), len(set(display.looks)))


async def nothing_drawn_yet(display, screen):
    steps = display.steps
    screen.show("Ready", "")
    screen.show("Transfer to", "")
    print(display.steps - steps)


async def two_screens(display, screen):
    screen.show("Ready", "")
    await display.until_drawn()
    steps = display.steps
    await asyncio.sleep_ms(20)
    print(display.steps - steps)
    screen.show("Done", "")
    await display.until_drawn()
    print(display.steps - steps)


async def tell(story):
    """Start keypad and screen, and run a story about them."""
    keypad = Keypad()
    display = Display(keypad)
    screen = Screen(display)
    tasks = [asyncio.create_task(keypad.run()), asyncio.create_task(screen.run())]
    await asyncio.sleep_ms(5)
    await story(display, screen)
    for task in tasks:
        task.cancel()


asyncio.run(tell(globals()[sys.argv[1]]))
