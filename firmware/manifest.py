"""What a frozen image of the phone terminal contains: the stock image's modules and ours.

Does not contain boot.py, main.py, safe.py and board.py, which stay files: a board can be changed without a build.
The manifest of each board includes it, and MicroPython's own build reads that (`make image BOARD=`).
"""

include("$(PORT_DIR)/boards/manifest.py")  # noqa: F821 - the build defines include() and package()
package("phoneterm", base_path=".", opt=2)  # noqa: F821
