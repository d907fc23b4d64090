"""The rarely used part of `machine`: why and as whom the chip started.

Does not need importing by name: `machine` looks here for what it does not have.
"""

import os

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5


def reset_cause():
    """Return why the chip last started."""
    return int(os.getenv("PHONETERM_RESET_CAUSE") or PWRON_RESET)


def unique_id():
    """Return the chip's 6-byte address."""
    return bytes.fromhex(os.getenv("PHONETERM_UNIQUE_ID") or "02005e000001")


def freq():
    """Return the processor's clock in Hz."""
    return 240000000
