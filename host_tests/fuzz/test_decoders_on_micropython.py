"""The same decoders on the real MicroPython VM, in 160 KiB: also no exception and no growth."""

import asyncio
from pathlib import Path

import pytest
from virtual_phone import vm

_FUZZ = Path(__file__).parent / "vm_modules" / "decoder_fuzz.py"
_FIRMWARE = Path(__file__).parents[2] / "firmware"


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_octets_make_a_decoder_raise_or_the_heap_grow(seed):
    argv, environment = vm.command(_FUZZ, 160, [_FIRMWARE], [str(seed), "2000"])
    process = await asyncio.create_subprocess_exec(
        *argv, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output = (await asyncio.wait_for(process.communicate(), 60))[0].decode()
    word, taken, found = output.split()
    assert word == "ok", output
    assert int(taken) > 50
    assert int(found) > 500
