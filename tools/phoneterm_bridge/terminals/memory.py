"""Decides from a terminal's telemetry whether it is short of memory. Does not know chips or what would help.

A terminal has two memories. ESP-IDF's is for Wi-Fi, sockets and TLS: when a TCP window comes in (5,760 bytes, in four
frames) and an answer goes out, that takes five buffers of 1.6 KB. So a terminal that ever had less than 8 KB may have
lost frames, and with less than one buffer the link stops. MicroPython's heap must have room for a message and its
decoded form, about 4 KB, or the next message cannot be read.
"""

LEAST_IDF_BYTES = 8 * 1024
LEAST_HEAP_BYTES = 4 * 1024


def find_shortage(fields: dict[str, int]) -> str | None:
    """Return what is short according to a telemetry message (fields may be missing); None when nothing is."""
    restarts = fields.get("memory_restarts", 0)
    if restarts:
        return f"it gave its link up {restarts} times because ESP-IDF had too little left"
    least, heap = fields.get("idf_least", LEAST_IDF_BYTES), fields.get("heap_free", LEAST_HEAP_BYTES)
    if least < LEAST_IDF_BYTES:
        return f"ESP-IDF had only {least} bytes left at one time; Wi-Fi and TLS need {LEAST_IDF_BYTES}"
    if heap < LEAST_HEAP_BYTES:
        return f"its heap has only {heap} bytes left, and a message needs {LEAST_HEAP_BYTES}"
    return None
