"""How much of a chip's heap the firmware takes, measured once in a run, however many tests and workers ask."""

from dataclasses import asdict

from heap_lab import measure


async def measure_heap(make_once, is_frozen):
    """Return the bytes in use at ready; `make_once`: the fixture."""

    async def measure_in_full():
        return asdict(await measure.measure_live(is_frozen, await measure.measure_chip()))

    return measure.Live(**await make_once("heap-frozen-in" if is_frozen else "heap-copied", measure_in_full))
