"""Goes in front of a module of the firmware: memory is short when that is loaded for the second time, and never again.

The first time is when the terminal starts, with the defaults.
"""

from phoneterm.core import link

link.loads = getattr(link, "loads", 0) + 1
if link.loads == 2:
    raise MemoryError
