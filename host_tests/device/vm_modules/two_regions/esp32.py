"""The part of `esp32` that reports memory: two regions (total, free, largest free block, least ever free).

Does not store settings.
"""

HEAP_DATA = 4
_MALLOC_CAP_INTERNAL = 1 << 11


def idf_heap_info(capabilities):
    """Return the regions, as the port does."""
    assert capabilities == HEAP_DATA | _MALLOC_CAP_INTERNAL
    return [(80000, 30000, 20000, 9000), (15072, 15036, 15036, 15000)]
