"""Writes the log: one line an event, `event detail`, to the console.

Does not keep lines or choose what is worth one. Nobody may give it digits of a number or a secret; of an exception it
therefore names the type and the place, never the text.
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
        return "MemoryError"  # where it was raised would take memory to say, and says little
    trace = io.StringIO()
    sys.print_exception(error, trace)
    place = "an unknown place"
    for line in trace.getvalue().split("\n"):
        if line.startswith('  File "'):
            _, file, rest = line.split('"', 2)
            place = file.split("/")[-1] + rest.replace(", line ", ":").replace(", in", " in")
    return "%s at %s" % (type(error).__name__, place)
