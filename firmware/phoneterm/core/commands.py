"""The commands this terminal has sent and what it knows of each: still waiting for the bridge, or answered.

Does not build messages. Remembers the last MOST commands, beyond their session, so that a late result of one still
tells the truth; results of anything else are nobody's. Times are milliseconds since the command was sent.
"""

from phoneterm.core.link import ANSWER_MS

MOST = 4
_ID, _OP, _AGE_MS, _IS_WAITING = range(4)


class Commands:
    """A short list of commands, the oldest first."""

    def __init__(self):
        self._known = []

    def is_full(self):
        """Say whether another command would push out one that still waits."""
        return len(self._known) == MOST and self._known[0][_IS_WAITING]

    def add(self, name, op):
        """Remember a command just sent; ValueError when it is full."""
        if self.is_full():
            raise ValueError("command %s comes while %d others wait" % (name, MOST))
        self._known = self._known[1 - MOST :] + [[name, op, 0, True]]

    def on_time(self, elapsed_ms):
        """Let time pass; return the operation of a command that has waited too long and now waits no more, or None."""
        for command in self._known:
            if command[_IS_WAITING]:
                command[_AGE_MS] += elapsed_ms
                if command[_AGE_MS] >= ANSWER_MS:
                    command[_IS_WAITING] = False
                    return command[_OP]
        return None

    def answer(self, name):
        """Take an answer to a command; return its operation, or None when it is not one of ours."""
        for command in self._known:
            if command[_ID] == name:
                command[_IS_WAITING] = False
                return command[_OP]
        return None

    def is_waiting(self, name):
        """Say whether this command still waits for an answer."""
        return any(command[_ID] == name and command[_IS_WAITING] for command in self._known)

    def give_up(self):
        """Stop waiting for any of them and say whether one did wait."""
        was_waiting = False
        for command in self._known:
            was_waiting = was_waiting or command[_IS_WAITING]
            command[_IS_WAITING] = False
        return was_waiting
