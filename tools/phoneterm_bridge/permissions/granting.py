"""Sets who is multi user aware at the PBX that says it, and looks what came of it. Stores only what the PBX then says.

Each of the user's users at the PBX is asked for once. What is asked is in the journal before. Only reading again tells
whether it was done; a PBX may need a moment for it.
"""

import asyncio

import sqlalchemy as sa

from phoneterm_bridge.pbx.permissions import NotTold, PermissionSource, SourceAway, Told
from phoneterm_bridge.permissions.following import sort_out
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import reading
from phoneterm_bridge.store.pbx_permissions import PbxPermissions, read_following

_PATIENCE_S = 5.0
_LOOK_S = 0.5


async def set_aware_at_pbx(
    source: PermissionSource, engine: sa.Engine, user: str, is_aware: bool, actor: str, where: str,
    patience_s: float = _PATIENCE_S,
) -> str:  # fmt: skip
    """Give a user the permission at the PBX, or take it away; return what is so now, in a sentence.

    SetupProblem when it could not be done, or is not known to be; it names what is so.
    """
    places = (await asyncio.to_thread(read_following, engine, user)).places
    if not places and user not in [name for name, _, _ in await asyncio.to_thread(reading.read_users, engine)]:
        raise SetupProblem(f"There is no user {user!r}.")
    if not places:
        raise SetupProblem(f"{user} has no extension, so {source.name} cannot be asked about {user}.")
    endpoints = [place.endpoint for place in places]
    store = PbxPermissions(engine, source.name, actor, where)
    try:
        said = await source.read(endpoints)
    except SourceAway as away:
        raise SetupProblem(f"{source.name} cannot be asked now ({away}); nothing was changed.") from None
    owners = {one.owner for one in said.values() if isinstance(one, Told)}
    if not owners:
        why = next(one.why for one in said.values() if isinstance(one, NotTold))
        raise SetupProblem(f"{source.name} does not have the extensions of {user} ({why}); nothing was changed.")
    wanted = f"multi user aware {is_aware}"
    await asyncio.to_thread(store.record, user, f"{source.name} is asked for {wanted}")
    trouble = ""
    for owner in sorted(owners):
        try:
            await source.set_aware(owner, is_aware)
        except SourceAway as away:
            trouble = str(away)
            break
    deadline_s = asyncio.get_running_loop().time() + (0.0 if trouble else patience_s)
    while True:
        try:
            said = await source.read(endpoints)
        except SourceAway as away:
            sentence = f"{source.name} was asked to make {user} {wanted}, and whether it has is not known ({away})"
            await asyncio.to_thread(store.record, user, f"{wanted} is not confirmed: {away}")
            raise SetupProblem(f"{sentence}; what it says counts as soon as it answers.") from None
        flags = [one.is_multi_user_aware for one in said.values() if isinstance(one, Told)]
        if all(flag == is_aware for flag in flags) or asyncio.get_running_loop().time() >= deadline_s:
            break
        await asyncio.sleep(_LOOK_S)
    await asyncio.to_thread(store.take, *sort_out(places, said))
    if any(flag != is_aware for flag in flags):
        because = f" ({trouble})" if trouble else ""
        await asyncio.to_thread(store.record, user, f"{source.name} has not taken {wanted}{because}")
        still = "still not" if is_aware else "still"
        raise SetupProblem(f"{source.name} has not taken it{because}: {user} is {still} multi user aware there.")
    return (
        f"{user} is {'' if is_aware else 'not '}multi user aware{'' if is_aware else ' any more'}, says {source.name}."
    )
