"""What administrators ask of terminals, handed from the command line to the running bridge. Carries nothing out.

A request is for now or not at all: the bridge takes only one that was made in the last `LIFE_MS`, and takes it once.
Its answer is one of the words below, None until the bridge has taken it. The command that asked removes the row again;
a row that was left behind (the command was killed) is removed with a later request. Both ends are on one machine and
read the same clock. Times are milliseconds since 1970. A request that cannot be made is a SetupProblem.
"""

from typing import NamedTuple

import sqlalchemy as sa

from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import tables, wall_clock
from phoneterm_bridge.store.database import writing

LIFE_MS = 5000
_KEPT_MS = 120_000

TAKEN = "taken"  # the bridge works on it; it is not known whether it was sent
SENT = "sent"
QUIET = "sent-quiet"  # sent to a terminal that will not confirm it: a wipe in safe mode
GONE = "gone"  # sent, and the terminal has ended the run that it was for
EXPIRED = "expired"  # from here on: nothing was sent
REVOKED = "revoked"
AWAY = "away"
SAFE_MODE = "safe-mode"
NO_BROKER = "no-broker"

_columns = tables.requests.c


class Request(NamedTuple):
    """One request: what is asked (`op` of the wire contract), of whom, by whom, from where, and when."""

    number: int
    tid: str
    op: str
    who: str
    place: str
    asked_ms: int

    def is_fresh(self, at_ms: int) -> bool:
        """Return whether it is still valid at that moment."""
        return 0 <= at_ms - self.asked_ms <= LIFE_MS


def ask(engine: sa.Engine, tid: str, op: str, who: str, place: str) -> int:
    """Store a request for the bridge; return its number.

    The clock is read once nobody else can write: read earlier, a request that was stored meanwhile would be removed,
    because it would seem to come from the future.
    """
    with writing(engine) as connection:
        require_terminal(connection, tid)
        asked_ms = wall_clock.now_ms()
        kept = _columns.asked_ms.between(asked_ms - _KEPT_MS, asked_ms)
        row = {"tid": tid, "op": op, "who": who[:64], "place": place[:64], "asked_ms": asked_ms}
        connection.execute(tables.requests.delete().where(~kept))
        return connection.execute(tables.requests.insert().values(**row).returning(_columns.number)).scalar_one()


def require_terminal(connection: sa.Connection, tid: str) -> None:
    """Refuse a terminal that does not exist or was revoked."""
    is_revoked = connection.execute(sa.select(tables.terminals.c.revoked).where(tables.terminals.c.tid == tid)).scalar()
    if is_revoked is None:
        raise SetupProblem(f"There is no terminal {tid!r}.")
    if is_revoked:
        raise SetupProblem(f"The terminal {tid!r} was revoked: it does not listen to the bridge any more.")


def read_waiting(engine: sa.Engine) -> list[Request]:
    """Return the valid requests that nobody has taken, in order."""
    until_ms = wall_clock.now_ms()
    waiting = _columns.answer.is_(None) & _columns.asked_ms.between(until_ms - LIFE_MS, until_ms)
    query = sa.select(*(_columns[name] for name in Request._fields)).where(waiting).order_by(_columns.number)
    with engine.connect() as connection:
        return [Request(*row) for row in connection.execute(query)]


def claim(engine: sa.Engine, number: int) -> bool:
    """Take a request, durably; False when it was withdrawn or taken already."""
    is_waiting = (_columns.number == number) & _columns.answer.is_(None)
    with writing(engine) as connection:
        taken = connection.execute(tables.requests.update().where(is_waiting).values(answer=TAKEN))
        return taken.rowcount == 1


def answer(engine: sa.Engine, number: int, word: str) -> None:
    """Store the answer to a request; perhaps nobody waits for it any more."""
    with writing(engine) as connection:
        connection.execute(tables.requests.update().where(_columns.number == number).values(answer=word))


def read_answer(engine: sa.Engine, number: int) -> str | None:
    """Return the answer to a request so far."""
    with engine.connect() as connection:
        return connection.execute(sa.select(_columns.answer).where(_columns.number == number)).scalar()


def withdraw(engine: sa.Engine, number: int) -> str | None:
    """Remove a request and return its answer: None means that nobody took it, and nobody will."""
    with writing(engine) as connection:
        gone = tables.requests.delete().where(_columns.number == number).returning(_columns.answer)
        return connection.execute(gone).scalar()
