"""Prints what the VM keeps on the heap of a module from a ROM: micropython kept_by_module.py ROM MODULE."""

import gc
import sys

import chip_rom


def measure(module):
    """Return the bytes that are left when the module was imported."""
    for number in range(200):  # the pool that the module's names go to is there already
        setattr(type("holder", (), {}), f"name{number}", None)
    gc.collect()
    before = gc.mem_alloc()
    __import__(module)
    gc.collect()
    return gc.mem_alloc() - before


chip_rom.mount(sys.argv[1])
print(measure(sys.argv[2]))
