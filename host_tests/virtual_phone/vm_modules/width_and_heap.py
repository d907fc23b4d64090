"""Prints the largest integer, whether the heap is about 88 KiB, and the setting `tid`, whose name has dots."""

import gc
import os
import sys

heap_bytes = gc.mem_alloc() + gc.mem_free()
print(sys.maxsize, 80000 < heap_bytes < 88 * 1024, os.getenv("NVS.phoneterm.tid"))  # noqa: SIM112 - its own name
