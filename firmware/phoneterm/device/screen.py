"""Shows lines on the board's display in a task of its own, in small steps, so that other tasks are not kept waiting.

Does not choose what to show and does not know the display, which the board's `make_display` returns. Loaded only if
there is one.
"""

import asyncio


class Screen:
    """A display: its `show(line1, line2)` sets the lines to show, and its `step()` works for at most 3 ms.

    `step` returns the ms to wait before the next step, 0 when nothing is left to do. Neither of them allocates.
    """

    def __init__(self, display):
        """Take the display."""
        self._display = display
        self._is_wanted = asyncio.Event()

    def show(self, line1, line2):
        """Set the two lines to show; lines that they replace in time are never drawn."""
        self._display.show(line1, line2)
        self._is_wanted.set()

    async def run(self):
        """Draw for ever. The other tasks run between any two steps."""
        while True:
            wait_ms = self._display.step()
            if wait_ms:
                await asyncio.sleep_ms(wait_ms)
            else:
                self._is_wanted.clear()
                await self._is_wanted.wait()
