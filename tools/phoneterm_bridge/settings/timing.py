"""How long a bridge waits for others, in seconds. Nobody sets these; they are in one place so that a lab can wait less.

Does not hold times from the settings, or times that belong to one connection only.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """resend_s: until the first resend to a terminal that has not confirmed what it was sent.

    silence_s: how long the PBX may still report on a transfer after the user's own leg is gone. This is longer than it
    rings a colleague and, if so configured, calls the user back twice. pulse_every_s: from one message of the bridge to
    itself to the next; pulse_deadline_s: until one that has not come back counts as lost. look_every_s: between looks
    at the host's clocks.
    """

    resend_s: float = 5.0
    silence_s: float = 60.0
    pulse_every_s: float = 5.0
    pulse_deadline_s: float = 5.0
    look_every_s: float = 1.0


USUAL = Timing()
