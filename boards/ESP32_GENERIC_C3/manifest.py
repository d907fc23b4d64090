"""What a frozen image for this board contains: the firmware.

Does not contain boot.py, main.py and board.py, which stay files so that a pin can be changed without a build.
`make image BOARD=ESP32_GENERIC_C3` passes it to MicroPython's own build.
"""

include("../../firmware/manifest.py")  # noqa: F821 - the build defines include() and module()
