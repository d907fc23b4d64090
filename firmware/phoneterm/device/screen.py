"""Shows lines on the board's display in a task of its own, in small steps, so that other tasks are not kept waiting.

Does not choose what to show and knows no display; the board's `make_display` returns one. Loaded only where there is
one.
"""

import asyncio


class Screen:
    """A display, whose `show(line1, line2)` notes what is wanted, and whose `step()` works for at most 3 ms.

    `step` returns the ms to wait before the next step, 0 when nothing is left to do. Neither of them allocates.
    """

    def __init__(self, display):
        """Take the display."""
        self._display = display
        self._is_wanted = asyncio.Event()

    def show(self, line1, line2):
        """Want two lines; what they replace, and is not shown yet, never is."""
        self._display.show(line1, line2)
        self._is_wanted.set()

    async def run(self):
        """Draw: for ever. The other tasks come round between any two steps."""
        while True:
            wait_ms = self._display.step()
            if wait_ms:
                await asyncio.sleep_ms(wait_ms)
            else:
                self._is_wanted.clear()
                await self._is_wanted.wait()
