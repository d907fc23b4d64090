"""The firmware keeps within its limits of a chip's heap, copied and frozen in, and works in that heap."""

import pytest
import pytest_asyncio
from e2e.measured_heap import measure_heap
from heap_lab import limits, measure, story
from lab_parts import parts

pytestmark = pytest.mark.asyncio(loop_scope="module")
_LIMITS = {
    False: (limits.LIVE_BYTES, limits.WORKS_BYTES),
    True: (limits.FROZEN_LIVE_BYTES, limits.FROZEN_WORKS_BYTES),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=_LIMITS, ids=["copied", "frozen"])
async def live(request, need_part, make_once):
    """The bytes in use at ready, and whether the firmware is frozen in."""
    need_part(parts.MICROPYTHON_32)
    return await measure_heap(make_once, request.param), request.param


async def test_what_is_in_use_at_ready_is_within_its_limit(live, note):
    figures, is_frozen = live
    kind = "frozen in" if is_frozen else "copied"
    note(f"The firmware, {kind}: {figures.bytes} of {_LIMITS[is_frozen][0]} bytes of heap at ready")
    assert figures.bytes <= _LIMITS[is_frozen][0]


async def test_the_whole_story_passes_in_the_heap_that_it_must_work_in(live):
    figures, is_frozen = live
    async with story.installed(figures.heap_kib(_LIMITS[is_frozen][1]), is_frozen) as installation:
        await story.play(installation)


@pytest.mark.lasts(20)
async def test_a_heap_that_is_too_small_is_told_from_one_that_is_not(live):
    figures, is_frozen = live
    assert not await measure.works_in(figures.heap_bytes // 1024 - 4, is_frozen)
