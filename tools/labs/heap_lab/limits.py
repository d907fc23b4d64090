"""How much of a chip's heap the firmware may take, in bytes of a 32-bit MicroPython.

Does not measure. A plain ESP32 begins with a heap of 56 KB and doubles it: what is kept small leaves Wi-Fi and TLS the
rest. Live: in use after a collection, with the terminal ready and a call shown. Works in: the whole story passes.
"""

LIVE_BYTES = 76 * 1024
WORKS_BYTES = 88 * 1024
FROZEN_LIVE_BYTES = 38 * 1024
FROZEN_WORKS_BYTES = 44 * 1024
FIRST_HEAP_BYTES = 56 * 1024  # what a plain ESP32's heap begins with: more comes out of what Wi-Fi and TLS need
