"""Prints which modules are loaded when it is imported, itself among them."""

import sys

for name in sys.modules:
    print("loaded", name)
