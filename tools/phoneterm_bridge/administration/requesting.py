"""Hands a request for a terminal to the running bridge through the store, and waits a few seconds for its answer.

Does not talk to the terminal. Nothing is sent after that. A terminal that was not told, or does not go, is a
SetupProblem.
"""

import time
from dataclasses import dataclass

import sqlalchemy as sa

from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import requests

LOOK_S = 0.05
_NOT_SENT = {
    None: "no bridge has taken the request: is one running with this store",
    requests.EXPIRED: "the bridge came to it too late",
    requests.REVOKED: "it was revoked meanwhile",
    requests.AWAY: "it is not online",
    requests.NO_BROKER: "the bridge is not connected to its broker",
    requests.SAFE_MODE: "it is in safe mode, where it takes only reboot and wipe, and its lamp is 2 s on and 2 s off",
}


@dataclass(frozen=True)
class Patience:
    """How many seconds to wait until a bridge takes a request, until it has sent it, and until the terminal has gone.

    A restart of the terminal is noticed by its next hello at the latest.
    """

    untaken_s: float = requests.LIFE_MS / 1000
    taken_s: float = 2 * requests.LIFE_MS / 1000
    going_s: float = 20.0


class Waiting:
    """One request that waits for its answer. Waits itself only where it is told to (`ask_terminal`)."""

    def __init__(self, engine: sa.Engine, tid: str, op: str, who: str, place: str, patience: Patience) -> None:
        """Hand the request to the bridge; SetupProblem where there is no such terminal."""
        self._engine = engine
        self._tid, self._op = tid, op
        self._patience = patience
        self._patience_s = {None: patience.untaken_s, requests.TAKEN: patience.taken_s}  # how long each may last
        if op != "identify":
            self._patience_s[requests.SENT] = patience.going_s
        self._begun_s = time.monotonic()
        self._number = requests.ask(engine, tid, op, who, place)

    def goes_on(self) -> bool:
        """Return whether a better answer may still come."""
        word = requests.read_answer(self._engine, self._number)
        return time.monotonic() - self._begun_s < self._patience_s.get(word, 0)

    def withdraw(self) -> str | None:
        """Withdraw the request and return its answer as it is."""
        return requests.withdraw(self._engine, self._number)

    def conclude(self) -> str:
        """Withdraw the request and return its answer; SetupProblem if the terminal was not told."""
        word, tid, op = self.withdraw(), self._tid, self._op
        if word in _NOT_SENT:
            raise SetupProblem(f"{tid} was not told to {op}: {_NOT_SENT[word]}. Nothing is kept for later.")
        if word == requests.TAKEN:
            raise SetupProblem(
                f"Whether {tid} was told to {op} is not known: the bridge took the request and said no more."
            )
        if word == requests.SENT and op != "identify":
            within = f"within {self._patience.going_s:.0f} s"
            raise SetupProblem(f"{tid} was told to {op}, but has not gone {within}: is it still there?")
        assert word is not None
        return word


def ask_terminal(engine: sa.Engine, tid: str, op: str, who: str, place: str, patience: Patience) -> str:
    """Hand a request to the bridge and return its answer; SetupProblem if the terminal was not told."""
    waiting = Waiting(engine, tid, op, who, place, patience)
    try:
        while waiting.goes_on():
            time.sleep(LOOK_S)
    except BaseException:
        waiting.withdraw()
        raise
    return waiting.conclude()
