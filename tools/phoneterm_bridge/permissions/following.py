"""Reads again and again what the PBX says of users and extensions, and has the store follow it. Decides nothing by it.

While the PBX does not answer, what it said last counts, for a set time from when it said it; then it expires. That the
PBX is away is noted once it has not answered for a while, and that it is back. Times are seconds, unless named
otherwise.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable

import sqlalchemy as sa
import structlog

from phoneterm_bridge.pbx.permissions import NotTold, PermissionSource, SourceAway, Told
from phoneterm_bridge.store import wall_clock
from phoneterm_bridge.store.pbx_permissions import PbxPermissions, Place, ToldExtension, read_following

_AT_ONCE = 20  # extensions in one writing of the store
_SOON_S = 1.0
_AWAY_LOOKS = 3
_EXPIRING_LOOKS = 10


class PermissionFollower:
    """Follows one source. poll_s: from one look to the next; keep_s: for how long counts what was said last."""

    def __init__(
        self,
        source: PermissionSource,
        engine: sa.Engine,
        place: str,
        poll_s: float,
        keep_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask nothing yet. place: where this bridge is, for the journal; clock: monotonic seconds, of pauses too."""
        self.source = source
        self._engine = engine
        self._store = PbxPermissions(engine, source.name, source.name.lower(), place)
        self._poll_s = poll_s
        self._keep_s = keep_s
        self._clock = clock
        self._due: dict[str, tuple[int, float]] = {}  # when what was said of an extension, and when, expires
        self._told_s: float | None = None  # when the source answered last
        self._is_away = False
        self._logged = ""  # each trouble once, until it is over
        self._hurried = asyncio.Event()
        self._first = 0  # the extension that the next look begins with

    @property
    def trouble(self) -> str | None:
        """Why the PBX does not tell at present, as a sentence; None when it does."""
        if not self._is_away or not self._logged:
            return None
        said = f"{self.source.name} does not say who is multi user aware ({self._logged})"
        return f"{said}; what it said last counts until it expires."

    def begin(self) -> None:
        """Have the store follow the source from now on, and what is too old by the host's clock expire; blocks."""
        self._store.follow(self.source.where)
        self._store.date_back()
        places = read_following(self._engine).places
        old = [place.number for place in places if _counts(place) and _age_s(place.told_ms) >= self._keep_s]
        self._store.expire(old, "it was not asked")

    def hurry(self) -> None:
        """Look soon: there is somebody of whom nothing is known."""
        self._hurried.set()

    async def run(self) -> None:
        """Look for ever, and have expire in between what is due."""
        self._is_away = (await asyncio.to_thread(read_following, self._engine)).trouble != ""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._keep_looking(), name="permissions")
            both.create_task(self._keep_expiring(), name="expiring permissions")

    async def _keep_looking(self) -> None:
        while True:
            self._hurried.clear()
            after_s = 0.0
            try:
                after_s = await self.look() or 0.0
            except Exception as error:  # whatever was answered, and whatever the store has: the next look must come
                structlog.get_logger().exception("permissions-not-read", error=type(error).__name__)
            at_least_s = max(min(_SOON_S, self._poll_s), after_s)
            await asyncio.sleep(at_least_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(self._poll_s - at_least_s, 0.0)):
                    await self._hurried.wait()

    async def _keep_expiring(self) -> None:
        """A look may take long, and the next one may be far away."""
        while True:
            await asyncio.sleep(min(self._poll_s, self._keep_s / _EXPIRING_LOOKS))
            try:
                await self._expire(self._logged)
            except Exception as error:  # as above
                structlog.get_logger().exception("permissions-not-expired", error=type(error).__name__)

    async def look(self) -> float | None:
        """Read everything once, and have what is too old expire; return after how long the PBX wants to be asked again.

        None: it does not say. The next look after one that failed begins behind the place where that was, so that a
        PBX that answers only so often is asked about everybody in turn.
        """
        places = (await asyncio.to_thread(read_following, self._engine)).places
        first = self._first if self._first < len(places) else 0
        turn = (*places[first:], *places[:first])
        after_s, said = None, list[Told | NotTold]()
        try:
            for start in range(0, len(turn), _AT_ONCE):
                self._first = (first + start + _AT_ONCE) % len(turn)
                said += (await self._read(turn[start : start + _AT_ONCE])).values()
            require_an_answer(said)
            self._first = 0
        except SourceAway as away:
            after_s = away.after_s
            await self._note_trouble(str(away), places)
        else:
            await self._note_success()
        await self._expire(self._logged)
        return after_s

    async def _read(self, places: tuple[Place, ...]) -> dict[str, Told | NotTold]:
        said = await self.source.read(place.endpoint for place in places)
        told, untold = sort_out(places, said)
        now_ms, due_s = wall_clock.now_ms(), self._clock() + self._keep_s
        await asyncio.to_thread(self._store.take, told, untold, now_ms, places)
        self._due |= dict.fromkeys(told, (now_ms, due_s))
        if told:
            await self._note_told()
        return said

    async def _note_success(self) -> None:
        await self._note_told()
        if self._logged:
            structlog.get_logger().info("permissions-read-again", source=self.source.name)
            self._logged = ""

    async def _note_told(self) -> None:
        """It has told of some at least, so it is there."""
        self._told_s = self._clock()
        if self._is_away:
            self._is_away = False
            await asyncio.to_thread(self._store.note_back, f"{self.source.name} says again who is multi user aware")

    async def _note_trouble(self, why: str, places: tuple[Place, ...]) -> None:
        if self._logged != why:
            structlog.get_logger().warning("permissions-not-read", source=self.source.name, why=why)
            self._logged = why
        is_long = self._clock() - self._last_told_s(places) >= _AWAY_LOOKS * self._poll_s
        if is_long and not self._is_away:
            self._is_away = True
            said = f"{self.source.name} does not say who is multi user aware ({why}); what it said last counts for "
            await asyncio.to_thread(self._store.note_away, why, f"{said}{_describe(self._keep_s)} from when it said it")

    def _last_told_s(self, places: tuple[Place, ...]) -> float:
        """Return when the source answered last, in another run of the bridge perhaps."""
        if self._told_s is None:
            newest_ms = max((place.told_ms for place in places), default=0)
            self._told_s = self._clock() - _age_s(newest_ms)
        return self._told_s

    async def _expire(self, why: str) -> None:
        """Have expire what was not told for too long; the host's own clock, which may be set, only counts at first."""
        places = (await asyncio.to_thread(read_following, self._engine)).places
        now_s = self._clock()
        expired = {one.number: one for one in places if _counts(one) and self._due_of(one, now_s) <= now_s}
        reasons = {number: one.why_not or why or "it was not asked" for number, one in expired.items()}
        for reason in sorted(set(reasons.values())):
            told_ms = {number: expired[number].told_ms for number, one in reasons.items() if one == reason}
            await asyncio.to_thread(self._store.expire, told_ms, reason, told_ms)

    def _due_of(self, place: Place, now_s: float) -> float:
        """Return when what was said of an extension expires; another program may have been told it."""
        told_ms, due_s = self._due.get(place.number, (None, 0.0))
        if told_ms != place.told_ms:
            due_s = now_s + self._keep_s - min(_age_s(place.told_ms), self._keep_s)
            self._due[place.number] = (place.told_ms, due_s)
        return due_s


def _counts(place: Place) -> bool:
    """Say whether what was said of an extension has not expired yet."""
    return place.told is not None and not place.is_expired


def sort_out(
    places: tuple[Place, ...], said: dict[str, Told | NotTold]
) -> tuple[dict[str, ToldExtension], dict[str, str]]:
    """Return what was said of extensions, and why it was not said of others, by their numbers."""
    told, untold = {}, {}
    for place in places:
        one = said.get(place.endpoint, NotTold("it says nothing of it"))
        if isinstance(one, Told):
            told[place.number] = ToldExtension(*one)
        else:
            untold[place.number] = one.why
    return told, untold


def require_an_answer(said: Iterable[Told | NotTold]) -> None:
    """Raise SourceAway when the PBX has told nothing but that it may not be asked."""
    every = list(said)
    refused = [one for one in every if isinstance(one, NotTold) and one.is_about_bridge]
    if refused and len(refused) == len(every):
        raise SourceAway(f"it refuses the bridge: {refused[0].why}")


def _age_s(told_ms: int) -> float:
    return max(wall_clock.now_ms() - told_ms, 0) / 1000


def _describe(seconds: float) -> str:
    """Return a span of time in words."""
    for unit, name in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.3g} seconds"
