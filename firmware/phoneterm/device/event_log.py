"""Writes the log: one line for each event, `event detail`, to the console.

Does not keep lines or choose events. Digits of a number and secrets must never be logged, so of an exception only the
type and the place are named, never the text.
"""

import io
import sys


def log(event, detail):
    """Print one line; the detail keeps no line breaks and at most 120 characters."""
    print(event, str(detail)[:120].replace("\r", " ").replace("\n", " "))


def place_of(error):
    """Return the type of an exception and where it was raised: "OSError at mqtt:1 in publish".

    What a device gets is compiled without line numbers, so there the line is always 1.
    """
    if isinstance(error, MemoryError):
        return "MemoryError"  # naming the place would take memory, and says little
    trace = io.StringIO()
    sys.print_exception(error, trace)
    place = "an unknown place"
    for line in trace.getvalue().split("\n"):
        if line.startswith('  File "'):
            _, file, rest = line.split('"', 2)
            place = file.split("/")[-1] + rest.replace(", line ", ":").replace(", in", " in")
    return "%s at %s" % (type(error).__name__, place)
