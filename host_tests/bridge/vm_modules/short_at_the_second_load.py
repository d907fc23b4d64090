"""Is put in front of a module of the firmware: memory is short when that is loaded a second time, and never again.

The first time is at the terminal's start, with the defaults.
"""

from phoneterm.core import link

link.loads = getattr(link, "loads", 0) + 1
if link.loads == 2:
    raise MemoryError
