"""Sets who is multi user aware at the PBX that says it, and looks what came of it. Stores only what the PBX then says.

Each of the user's users at the PBX is asked for once. What is asked is in the journal before. Only reading again tells
whether it was done; a PBX may need a moment for it. Who else here belongs to the same users at the PBX is read too.
"""

import asyncio

import sqlalchemy as sa

from phoneterm_bridge.pbx.permissions import NotTold, PermissionSource, SourceAway, Told
from phoneterm_bridge.permissions.following import require_an_answer, sort_out
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import reading
from phoneterm_bridge.store.pbx_permissions import PbxPermissions, Place, read_following
from phoneterm_bridge.wording.names import name_some

_PATIENCE_S = 5.0
_LOOK_S = 0.5
_Said = dict[str, Told | NotTold]


async def set_aware_at_pbx(
    source: PermissionSource, engine: sa.Engine, user: str, is_aware: bool, actor: str, where: str,
    patience_s: float = _PATIENCE_S,
) -> str:  # fmt: skip
    """Give a user the permission at the PBX, or take it away; return what is so now, in a sentence.

    SetupProblem when it could not be done, or is not known to be; it names what is so.
    """
    own = await _require_places(source, engine, user)
    try:
        said = await source.read(place.endpoint for place in own)
        require_an_answer(said.values())
    except SourceAway as away:
        instead = "" if is_aware else " `phoneterm terminal deny` stops a terminal here all the same."
        raise SetupProblem(f"{source.name} cannot be asked now ({away}); nothing was changed.{instead}") from None
    owners = sorted({one.owner for one in said.values() if isinstance(one, Told)})
    if not owners:
        raise SetupProblem(
            f"{source.name} does not have the extensions of {user} ({_why_not(said)}); nothing was changed."
        )
    return await _Switch(source, engine, user, is_aware, PbxPermissions(engine, source.name, actor, where)).turn(
        owners, patience_s
    )


class _Switch:
    """One turn of the switch of one user."""

    def __init__(
        self, source: PermissionSource, engine: sa.Engine, user: str, is_aware: bool, store: PbxPermissions
    ) -> None:
        self._source = source
        self._engine = engine
        self._user = user
        self._is_aware = is_aware
        self._store = store
        self._wanted = f"multi user aware {is_aware}"

    async def turn(self, owners: list[str], patience_s: float) -> str:
        """Ask for each of the user's users there, and return what is so then."""
        whose = f" of its users {' and '.join(owners)}" if len(owners) > 1 else ""
        await self._record(f"{self._source.name} is asked for {self._wanted}{whose}")
        trouble = await self._ask(owners)
        deadline_s = asyncio.get_running_loop().time() + (0.0 if trouble else patience_s)
        while True:
            places, said = await self._read_back(owners)
            is_last = asyncio.get_running_loop().time() >= deadline_s
            if not (self._is_done(places, said) or is_last):
                await asyncio.sleep(_LOOK_S)
                continue
            told, untold = sort_out(places, said)
            if not await asyncio.to_thread(self._store.take, told, untold, None, places):
                break  # else another program was told something in between, perhaps earlier than this
        own = tuple(place for place in places if place.user == self._user)
        return await self._conclude(own, said, trouble)

    async def _ask(self, owners: list[str]) -> str:
        """Ask for each user once, and return what went wrong; who cannot be given all of it gets no more of it."""
        trouble = ""
        for owner in owners:
            try:
                await self._source.set_aware(owner, self._is_aware)
            except SourceAway as away:
                trouble = trouble or str(away)
                if self._is_aware:
                    break
        return trouble

    async def _read_back(self, owners: list[str]) -> tuple[tuple[Place, ...], _Said]:
        """Read the user's extensions, and those of others here who belong to the same users there."""
        every = (await asyncio.to_thread(read_following, self._engine)).places
        places = tuple(
            one for one in every if one.user == self._user or (one.told is not None and one.told.owner in owners)
        )
        try:
            return places, await self._source.read(place.endpoint for place in places)
        except SourceAway as away:
            raise await self._refuse_unknown(str(away)) from None

    def _is_done(self, places: tuple[Place, ...], said: _Said) -> bool:
        own = [said.get(place.endpoint) for place in places if place.user == self._user]
        return all(one.is_multi_user_aware == self._is_aware for one in own if isinstance(one, Told))

    async def _conclude(self, own: tuple[Place, ...], said: _Said, trouble: str) -> str:
        """Return what is so now; SetupProblem when that is not what was wanted."""
        name, because = self._source.name, f" ({trouble})" if trouble else ""
        told = {one.number: says for one in own if isinstance(says := said.get(one.endpoint), Told)}
        if not told:
            raise await self._refuse_unknown(_why_not(said))
        done = [number for number, says in told.items() if says.is_multi_user_aware == self._is_aware]
        wrong = [number for number in told if number not in done]
        untold = [one.number for one in own if one.number not in told]
        if wrong and not done:
            await self._record(f"{name} has not taken {self._wanted}{because}")
            still = "still not" if self._is_aware else "still"
            raise SetupProblem(f"{name} has not taken it{because}: {self._user} is {still} multi user aware there.")
        now = await asyncio.to_thread(_is_aware_here, self._engine, self._user)
        word = "" if now else "not "
        if wrong:
            await self._record(f"{name} has taken {self._wanted} for {name_some(done)}, not for {name_some(wrong)}")
            raise SetupProblem(
                f"{name} has taken it for {name_some(done)}, and not for {name_some(wrong)}{because}: {self._user} is "
                f"{word}multi user aware here."
            )
        rest = f" It does not tell of {name_some(untold)} ({_why_not(said)})." if untold else ""
        if now != self._is_aware:
            raise SetupProblem(
                f"{name} has taken it for {name_some(done)}.{rest} So {self._user} is {word}multi user aware here."
            )
        more = "" if now else " any more"
        return f"{self._user} is {word}multi user aware{more}, says {name}.{rest}"

    async def _refuse_unknown(self, why: str) -> SetupProblem:
        await self._record(f"{self._wanted} is not confirmed: {why}")
        return SetupProblem(
            f"{self._source.name} was asked to make {self._user} {self._wanted}, and whether it has is not known "
            f"({why}); what it says counts as soon as it answers."
        )

    async def _record(self, what: str) -> None:
        await asyncio.to_thread(self._store.record, self._user, what)


async def _require_places(source: PermissionSource, engine: sa.Engine, user: str) -> tuple[Place, ...]:
    """Return the user's extensions; SetupProblem when there are none."""
    places = (await asyncio.to_thread(read_following, engine, user)).places
    if not places and user not in [name for name, _, _ in await asyncio.to_thread(reading.read_users, engine)]:
        raise SetupProblem(f"There is no user {user!r}.")
    if not places:
        raise SetupProblem(f"{user} has no extension, so {source.name} cannot be asked about {user}.")
    return places


def _why_not(said: _Said) -> str:
    return next((one.why for one in said.values() if isinstance(one, NotTold)), "it says nothing of them")


def _is_aware_here(engine: sa.Engine, user: str) -> bool:
    return any(is_aware for name, is_aware, _ in reading.read_users(engine) if name == user)
