"""Decides, before anything else runs, whether the terminal starts: not while a file named `safe` lies at the top.

Does not act on it; `main.py`, which shares these globals, does. `mpremote touch :safe` rescues a board whose
firmware leaves no time to load another. Garbage is collected often from here on until the terminal runs, so that the
modules that are loaded lie close together and leave the heap in one piece.
"""

import gc
import os

LOADING_GARBAGE_BYTES = 4096

IS_SAFE_MODE = "safe" in os.listdir()
gc.threshold(LOADING_GARBAGE_BYTES)
