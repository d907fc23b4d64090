"""Weakens the parts of the Python programs that a probe starts: this folder is then the first in PYTHONPATH.

Python imports this by itself when it starts. Does nothing unless WEAKENED_PART names a function of `weak_parts.py`.
"""

import os
import sys
from pathlib import Path

if name := os.environ.get("WEAKENED_PART"):
    sys.path.append(str(Path(__file__).parents[2]))
    from attacks import weak_parts

    getattr(weak_parts, name)(setattr)
