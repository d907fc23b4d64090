"""Measures how much memory ESP-IDF has left: for Wi-Fi, sockets and TLS, and for MicroPython's heap to grow into.

Does not measure that heap itself (`gc` does), and does not judge. All figures are bytes.
Source: MicroPython's ports/esp32, modesp32.c: a list of (total, free, largest free block, least ever free) by region.
"""

import esp32
from micropython import const

_INTERNAL = const(1 << 11)  # MALLOC_CAP_INTERNAL: Wi-Fi cannot use memory outside of the chip


def measure_idf():
    """Return (free, largest free block, least ever free); the last is the sum of the regions' own minima."""
    free = largest = least = 0
    for region in esp32.idf_heap_info(esp32.HEAP_DATA | _INTERNAL):
        free += region[1]
        largest = max(largest, region[2])
        least += region[3]
    return free, largest, least
