"""The commands this terminal has sent and what it knows of each: still waiting for the bridge, or answered.

Does not build messages. Remembers the last MOST commands, beyond their session, so that a late result of one still
tells the truth; results of anything else are nobody's.
"""

MOST = 4
ANSWER_MS = 3000  # a command that nobody has accepted by then is given up
_ID, _OP, _LEFT_MS = range(3)  # of a command; nothing left: it does not wait (any more)


class Commands:
    """A short list of commands, the oldest first."""

    def __init__(self):
        self._known = []

    def is_full(self):
        """Say whether another command would push out one that still waits."""
        return len(self._known) == MOST and self._known[0][_LEFT_MS] > 0

    def add(self, name, op):
        """Remember a command just sent; ValueError when it is full."""
        if self.is_full():
            raise ValueError("command %s comes while %d others wait" % (name, MOST))
        self._known = self._known[1 - MOST :] + [[name, op, ANSWER_MS]]

    def on_time(self, elapsed_ms):
        """Let time pass; return the id of a command that has waited too long and now waits no more, or None."""
        late = None
        for command in self._known:
            if command[_LEFT_MS] > 0:
                command[_LEFT_MS] -= elapsed_ms
                if command[_LEFT_MS] <= 0:
                    late = command[_ID]
        return late

    def answer(self, name):
        """Take an answer to a command; return (operation, whether it waited), (None, False) when it is not ours."""
        for command in self._known:
            if command[_ID] == name:
                was_waiting = command[_LEFT_MS] > 0
                command[_LEFT_MS] = 0
                return command[_OP], was_waiting
        return None, False

    def give_up(self):
        """Stop waiting for any of them and say whether one did wait."""
        was_waiting = False
        for command in self._known:
            was_waiting = was_waiting or command[_LEFT_MS] > 0
            command[_LEFT_MS] = 0
        return was_waiting
