"""`phoneterm run` with an emulated ESP32, as a newcomer uses it."""

import contextlib

import psutil
import pytest
from e2e.test_run import running
from left_running import left_running

from chip.conftest import BACK_S

MOST_TRIES = 4


@pytest.mark.timeout(600)
async def test_a_key_at_the_pins_of_the_chip_moves_the_call_and_quitting_ends_everything(need_chip):
    async with running("--phone", "chip") as run:
        await run.until("Type keys and Enter", deadline_s=2 * BACK_S)
        await run.until("101 talks to 103")
        children = psutil.Process(run.process.pid).children(recursive=True)
        for _ in range(MOST_TRIES):  # a chip that is still reading its flash asks to key again
            run.enter("#1102")
            with contextlib.suppress(AssertionError):
                await run.until("phone: done", deadline_s=20)
                break
        while "102 talks to 103; 103 talks to 102" not in run.printed:  # it comes a little before or after
            await run.until("\n")
        run.enter("quit")
        await run.until("Stopped.")
        assert await run.process.wait() == 0
        assert not left_running(children, 30)


async def test_without_an_emulated_chip_one_sentence_says_how_to_build_one(monkeypatch):
    monkeypatch.delenv("ESP32_CHIP", raising=False)
    async with running("--phone", "chip") as run:
        await run.until("ESP32_CHIP does not name an emulated ESP32")
        assert await run.process.wait() == 1
