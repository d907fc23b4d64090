"""Waiting for what must happen, with an end. Does not sleep for a fixed time.

What has not happened in time is an AssertionError: a test fails with it, and a probe has seen it.
"""

import asyncio
import time
from collections.abc import Callable

PATIENCE_S = 20.0
_LOOK_S = 0.005


async def until(
    condition: Callable[[], object], patience_s: float = PATIENCE_S,
    otherwise: str = "what was waited for did not happen",
) -> None:  # fmt: skip
    """Wait until a condition is true; AssertionError with the sentence `otherwise` if that takes too long."""
    deadline_s = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline_s, otherwise
        await asyncio.sleep(_LOOK_S)
