"""Runs on MicroPython: prints the code of each printable character, and its eight columns in hex."""

import framebuf

for code in range(32, 127):
    pixels = bytearray(8)
    framebuf.FrameBuffer(pixels, 8, 8, framebuf.MONO_VLSB).text(chr(code), 0, 0)
    print(code, pixels.hex())
