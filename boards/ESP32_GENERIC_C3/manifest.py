"""What a frozen image for this board contains: the firmware.

Does not contain boot.py, main.py and board.py, which stay files so that a pin can be changed without a build. Used by
MicroPython's own build: `make BOARD=ESP32_GENERIC_C3 FROZEN_MANIFEST=<this file>`.
"""

include("../../firmware/manifest.py")  # noqa: F821 - the build defines include() and module()
