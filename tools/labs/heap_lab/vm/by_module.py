"""Runs on the 32-bit MicroPython: imports modules one by one and prints how much each leaves on the heap.

Usage: by_module.py FOLDER MODULE ..., one import after the other, so shared parts count for the first module.
The pools of names, which double, are not in the figures; the names themselves are.
"""

import gc
import sys

sys.path.insert(0, sys.argv[1])


def in_use():
    """Return the bytes that are in use after a collection."""
    gc.collect()
    return gc.mem_alloc()


for number in range(1400):  # so the pool for the modules' names exists already: pools double
    setattr(type("Holder", (), {}), "name%d" % number, None)
for name in sys.argv[2:]:
    before = in_use()
    __import__(name)
    print(name, in_use() - before)
