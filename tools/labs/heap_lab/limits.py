"""How much of a chip's heap the firmware may take, in bytes of a 32-bit MicroPython.

Does not measure. A plain ESP32 begins with a heap of 56 KB and doubles it: a small heap leaves more to Wi-Fi and TLS.
Live: in use after a collection, with the terminal ready and a call shown. Works in: the whole story passes.
"""

LIVE_BYTES = 76 * 1024
WORKS_BYTES = 88 * 1024
FROZEN_LIVE_BYTES = 38 * 1024
FROZEN_WORKS_BYTES = 44 * 1024
FIRST_HEAP_BYTES = 56 * 1024  # the initial heap of a plain ESP32: more would be taken from Wi-Fi and TLS
