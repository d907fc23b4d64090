"""Keeps short the pauses that Python itself makes in a running bridge. Changes nothing that the bridge does.

A thread that computes, such as one that reads a changed directory, lets the event loop wait for Python's lock; a commit
gives that lock up several times, so with the usual 5 ms a command would wait for 20 ms and longer. And a full
collection of garbage goes through everything that was ever loaded, some 100,000 objects, which takes 20 ms on a quiet
machine.
"""

import gc
import sys

_SWITCH_S = 0.0005


def shorten_pauses() -> None:
    """Do so from now on; called once the bridge has started, because what is there by then is set aside."""
    sys.setswitchinterval(_SWITCH_S)
    gc.collect()
    gc.freeze()
