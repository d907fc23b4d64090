"""How long a bridge waits for others, in seconds. Nobody sets these; they are in one place so that a lab can wait less.

Does not hold what is said in the settings, or what belongs to a connection alone.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """resend_s: until a terminal that has not said to have what it was sent gets it again, for the first time.

    silence_s: how long the PBX may still report on a transfer after the user's own leg is gone: longer than it rings a
    colleague and, where it is so configured, calls the user back twice. pulse_every_s, pulse_deadline_s: from one
    message of the bridge to itself to the next, and until one that has not come back is missed.
    """

    resend_s: float = 5.0
    silence_s: float = 60.0
    pulse_every_s: float = 5.0
    pulse_deadline_s: float = 5.0


USUAL = Timing()
