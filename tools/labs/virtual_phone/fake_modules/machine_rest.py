"""The rarely used part of `machine`: the reset cause, the chip's id, and the memory that outlives a reset.

Does not need importing by name: `machine` looks here for what it does not have. The host decides which resets the
memory outlives, and passes it in the environment, in hex.
"""

import binascii
import os

from host_link import link

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

_RTC_BYTES = 2048
_clock_mhz = [160]  # a stock image starts with this


class RTC:
    """The real-time clock, for the 2048 bytes of memory in it."""

    def memory(self, data=None):
        """Replace what the memory holds, or return it."""
        if data is None:
            return binascii.unhexlify(os.getenv("PHONETERM_RTC") or "")
        if len(data) > _RTC_BYTES:
            raise ValueError("buffer too long")
        text = binascii.hexlify(data).decode()
        os.putenv("PHONETERM_RTC", text)
        link.send("Y%s\n" % text)
        return None


def reset_cause():
    """Return why the chip last started."""
    return int(os.getenv("PHONETERM_RESET_CAUSE") or PWRON_RESET)


def unique_id():
    """Return the chip's 6-byte address."""
    return bytes.fromhex(os.getenv("PHONETERM_UNIQUE_ID") or "02005e000001")


def freq(hz=None):
    """Set the processor's clock, or return it in Hz."""
    if hz is None:
        return _clock_mhz[0] * 1000000
    mhz = hz // 1000000
    if mhz not in (20, 40, 80, 160, 240) or (mhz == 240 and os.getenv("PHONETERM_MCU") == "esp32c3"):
        raise ValueError("frequency must be 20MHz, 40MHz, 80Mhz or 160MHz")
    _clock_mhz[0] = mhz
    return None
