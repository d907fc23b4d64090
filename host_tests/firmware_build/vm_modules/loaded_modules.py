"""Prints which modules are loaded when it is imported, including itself."""

import sys

for name in sys.modules:
    print("loaded", name)
