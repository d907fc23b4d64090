"""At most two emulated chips run at once on a computer."""

import asyncio
import os

from bridge.other_user import folder_for_others, run_as_other
from chip_lab.slots import SLOTS, take_slot


async def test_the_third_chip_waits_until_one_is_gone(tmp_path):
    said = []
    taken = [await take_slot(tmp_path, lambda: said.append("waits")) for _ in range(SLOTS)]
    assert said == []
    waiting = asyncio.create_task(take_slot(tmp_path, lambda: said.append("waits")))
    done, _ = await asyncio.wait([waiting], timeout=0.5)
    assert not done
    assert said == ["waits"]
    os.close(taken.pop())
    taken.append(await asyncio.wait_for(waiting, 5))
    for fd in taken:
        os.close(fd)


async def test_a_chip_keeps_its_place_when_who_started_it_is_gone(tmp_path):
    taken = [await take_slot(tmp_path) for _ in range(SLOTS)]
    chip = await asyncio.create_subprocess_exec("sleep", "60", pass_fds=(taken[0],))
    for fd in taken:
        os.close(fd)
    left = [await take_slot(tmp_path) for _ in range(SLOTS - 1)]
    waiting = asyncio.create_task(take_slot(tmp_path))
    done, _ = await asyncio.wait([waiting], timeout=0.5)
    assert not done
    chip.kill()
    await chip.wait()
    for fd in (*left, await asyncio.wait_for(waiting, 5)):
        os.close(fd)


async def test_a_slot_that_another_user_has_used_before_can_be_taken():
    with folder_for_others() as folder:
        for fd in [await take_slot(folder) for _ in range(SLOTS)]:
            os.close(fd)
        code = f"print([asyncio.run(take_slot(Path('{folder}'))) > 0 for _ in range({SLOTS})])"
        imports = "import asyncio; from pathlib import Path; from chip_lab.slots import take_slot"
        assert run_as_other(imports, code, folder) == f"{[True] * SLOTS}\n"
