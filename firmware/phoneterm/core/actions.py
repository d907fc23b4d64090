"""What the core asks the outside to do: one named tuple for each kind of action.

Does not carry them out; `app.py` does, in the order given. Two named tuples with equal values compare equal, so
distinguish actions with `isinstance`. Times are integer milliseconds; lines are at most 16 ASCII characters.
"""

from collections import namedtuple

# Send a message. `ref` None: nobody asks how it ended; otherwise the app tells Terminal.on_published exactly once.
Publish = namedtuple("Publish", "topic payload qos retain ref deadline_ms")
# Give the user one signal of `signals.NAMES`.
Indicate = namedtuple("Indicate", "signal")
# Show two lines on the display, if the board has one.
Show = namedtuple("Show", "line1 line2")
# Restart the device; with the `reason` "wipe" all settings are erased first.
Restart = namedtuple("Restart", "reason")
# Write a line to the log; `detail` never holds digits of a number.
Log = namedtuple("Log", "event detail")
