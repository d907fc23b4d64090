"""Decides, before anything else runs, whether the terminal starts: not while a file named `safe` lies at the top.

Does not act on it; `main.py`, which shares these globals, does. `mpremote touch :safe` rescues a board whose
firmware leaves no time to load another.
"""

import os

IS_SAFE_MODE = "safe" in os.listdir()
