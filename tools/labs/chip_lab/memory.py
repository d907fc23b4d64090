"""Asks a chip how much memory is left: MicroPython's heap, and what that leaves to Wi-Fi, TLS and the IDF.

Does not restart the chip: its program is stopped as by Ctrl-C, and still has all its memory when the chip answers. The
firmware does not go on afterwards. Figures are bytes.
"""

import asyncio
import re
from dataclasses import dataclass

from virtual_phone.client import PhoneError

from chip_lab.phone import ChipPhone

_ANSWER_S = 60
_PROMPT, _RAW, _RUN = b"\r\x03\x03", b"\x01", b"\x04"
_SHORT_ENOUGH = 64  # bytes that a chip takes at its raw prompt, however busy: it has no way to pause the sender
_PAUSE_S = 0.1
_SCRIPT = b"""import gc,esp32,micropython
a=gc.mem_alloc()
gc.collect()
micropython.mem_info()
h=esp32.idf_heap_info(esp32.HEAP_DATA)
print("ALL",gc.mem_alloc(),a,sum(x[1] for x in h),max(x[2] for x in h),sum(x[3] for x in h),"END")
"""
_TOTAL = re.compile(r"GC: total: (\d+)")
_ALL = re.compile(r"ALL (\d+) (\d+) (\d+) (\d+) (\d+) END")


@dataclass(frozen=True)
class Memory:
    """live, used: the heap in use after and before a collection. heap: all of it. idf_least: the lowest free ever."""

    live: int
    used: int
    heap: int
    idf_free: int
    idf_largest: int
    idf_least: int


async def read_memory(phone: ChipPhone) -> Memory:
    """Stop the program on the chip, and return its memory; PhoneError when the chip does not answer."""
    heard: list[str] = []
    answered = asyncio.Event()

    def hear(event: dict) -> None:
        if event["event"] == "log":
            heard.append(event["line"])
            if _ALL.search(event["line"]):
                answered.set()

    end = phone.events.listen(hear)
    try:
        async with asyncio.timeout(_ANSWER_S):
            for part in (_PROMPT, _PROMPT, _RAW):
                phone.line.send(part)
                await asyncio.sleep(5 * _PAUSE_S)
            for start in range(0, len(_SCRIPT), _SHORT_ENOUGH):
                phone.line.send(_SCRIPT[start : start + _SHORT_ENOUGH])
                await asyncio.sleep(_PAUSE_S)
            phone.line.send(_RUN)
            await answered.wait()
    except TimeoutError:
        raise PhoneError(f"the chip did not report its memory; it said last: {heard[-3:]}") from None
    finally:
        end()
    text = "\n".join(heard)
    total, told = _TOTAL.search(text), _ALL.search(text)
    assert told is not None
    live, used, free, largest, least = map(int, told.groups())
    return Memory(live, used, int(total[1]) if total else 0, free, largest, least)
