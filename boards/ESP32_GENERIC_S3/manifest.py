"""What a frozen image for this board contains: the firmware and the display's driver.

Does not contain boot.py, main.py and board.py, which stay files so that a pin can be changed without a build.
`make image BOARD=ESP32_GENERIC_S3` passes it to MicroPython's own build.
"""

include("../../firmware/manifest.py")  # noqa: F821 - the build defines include() and module()
module("oled.py", base_path="../displays", opt=2)  # noqa: F821
