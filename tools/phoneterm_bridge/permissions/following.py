"""Reads again and again what the PBX says of users and extensions, and has the store follow it. Decides nothing by it.

While the PBX does not answer, what it said last counts, for a set time from when it said it; then it expires. That the
PBX is away is noted once it has not answered for a while, and that it is back. Times are seconds, unless named
otherwise.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable

import sqlalchemy as sa
import structlog

from phoneterm_bridge.pbx.permissions import NotTold, PermissionSource, SourceAway, Told
from phoneterm_bridge.store.pbx_permissions import PbxPermissions, Place, ToldExtension, read_following

_AT_ONCE = 20  # extensions in one writing of the store
_SOON_S = 1.0
_AWAY_LOOKS = 3


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
        """Ask nothing yet. place: where this bridge is, for the journal; clock: monotonic."""
        self.source = source
        self._engine = engine
        self._store = PbxPermissions(engine, source.name, source.name.lower(), place)
        self._poll_s = poll_s
        self._keep_s = keep_s
        self._clock = clock
        self._due_s: dict[str, float] = {}  # when what was said of an extension expires
        self._told_s: float | None = None  # when the source answered last
        self._is_away = False
        self._logged = ""  # each trouble once, until it is over
        self._hurried = asyncio.Event()

    @property
    def trouble(self) -> str | None:
        """Why the PBX does not tell at present, as a sentence; None when it does."""
        if not self._is_away or not self._logged:
            return None
        return f"{self.source.name} does not say who is multi user aware ({self._logged}); what it said last counts."

    def begin(self) -> None:
        """Have the store follow the source from now on; blocks."""
        self._store.follow()

    def hurry(self) -> None:
        """Look soon: there is somebody of whom nothing is known."""
        self._hurried.set()

    async def run(self) -> None:
        """Look for ever."""
        self._is_away = (await asyncio.to_thread(read_following, self._engine)).trouble != ""
        while True:
            self._hurried.clear()
            pause_s = self._poll_s
            try:
                pause_s = max(pause_s, await self.look() or 0.0)
            except Exception as error:  # whatever was answered, and whatever the store has: the next look must come
                structlog.get_logger().exception("permissions-not-read", error=type(error).__name__)
            await asyncio.sleep(min(_SOON_S, pause_s))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(pause_s - _SOON_S, 0.0)):
                    await self._hurried.wait()

    async def look(self) -> float | None:
        """Read everything once, and have what is too old expire; return after how long the PBX wants to be asked again.

        None: it does not say.
        """
        places = (await asyncio.to_thread(read_following, self._engine)).places
        after_s = None
        try:
            for start in range(0, len(places), _AT_ONCE):
                await self._read(places[start : start + _AT_ONCE])
        except SourceAway as away:
            after_s = away.after_s
            await self._note_trouble(str(away), places)
        else:
            await self._note_success()
        await self._expire(self._logged)
        return after_s

    async def _read(self, places: tuple[Place, ...]) -> None:
        said = await self.source.read(place.endpoint for place in places)
        told, untold = sort_out(places, said)
        await asyncio.to_thread(self._store.take, told, untold)
        self._due_s |= dict.fromkeys(told, self._clock() + self._keep_s)

    async def _note_success(self) -> None:
        self._told_s = self._clock()
        if self._logged:
            structlog.get_logger().info("permissions-read-again", source=self.source.name)
            self._logged = ""
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
        now_s, expired = self._clock(), {}
        for place in places:
            if place.told is not None and not place.is_expired:
                left_s = self._keep_s - min(_age_s(place.told_ms), self._keep_s)
                if self._due_s.setdefault(place.number, now_s + left_s) <= now_s:
                    expired[place.number] = place.why_not or why
        for reason in sorted(set(expired.values())):
            numbers = [number for number, one in expired.items() if one == reason]
            await asyncio.to_thread(self._store.expire, numbers, reason or "it was not asked")


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


def _age_s(told_ms: int) -> float:
    return max(time.time() - told_ms / 1000, 0.0)


def _describe(seconds: float) -> str:
    """Return a span of time in words."""
    for unit, name in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.3g} seconds"
