"""Prints how much of a module from a ROM the VM keeps on the heap: micropython kept_by_module.py ROM MODULE."""

import gc
import sys

import chip_rom


def measure(module):
    """Return the bytes that an import of the module leaves."""
    for number in range(200):  # so the pool for the module's names exists already
        setattr(type("holder", (), {}), f"name{number}", None)
    gc.collect()
    before = gc.mem_alloc()
    __import__(module)
    gc.collect()
    return gc.mem_alloc() - before


chip_rom.mount(sys.argv[1])
print(measure(sys.argv[2]))
