"""What a frozen image for the virtual phone would contain: the firmware.

It is here because a copy of this folder needs one; the virtual phone runs the compiled files.
"""

include("../../firmware/manifest.py")  # noqa: F821 - MicroPython's build defines include()
