"""Who is multi user aware at VoipNow: can SystemAPI be asked, may the app read it, what does it say of each terminal.

Changes nothing, there or here, so whether the app may also write is not known. What the running bridge has been told
last stands in its store, and is looked at too.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from phoneterm_bridge.doctor.finding import OK, PROBLEM, UNKNOWN, WARNING, Change, Finding
from phoneterm_bridge.doctor.store import Stored, open_read_only
from phoneterm_bridge.pbx.permissions import NotTold, PermissionSource, SourceAway, Told
from phoneterm_bridge.permissions.describing import describe_source, describe_untold
from phoneterm_bridge.settings.bridge import BridgeSettings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.pbx_permissions import Following, Place, read_following
from phoneterm_bridge.store.records import TERMINAL_TYPE
from phoneterm_bridge.wording.names import name_some

_PART = "permissions"
_SECTION = "settings, section [voipnow]"
_STORE_ALONE = 'permissions = "store"   # who is multi user aware is then set here alone'
_APP = "VoipNow, the page of the app"


async def examine_permissions(settings: BridgeSettings, stored: Stored) -> list[Finding]:
    """Ask VoipNow what the bridge asks it, and look what the bridge was told last."""
    if settings.voipnow.permissions == "store":
        sentence = "Who is multi user aware, and which extensions are phone terminals, is what the store says."
        return [Finding(OK, _PART, f"{sentence} VoipNow is not asked.", Change(_SECTION, 'permissions = "voipnow"'))]
    try:
        from phoneterm_bridge.pbx.voipnow.voipnow_permissions import VoipNowPermissions

        source = VoipNowPermissions(settings.voipnow)
    except SetupProblem as problem:
        fix = Change("command line", f"pip install 'phoneterm[voipnow]'; or in the {_SECTION}: {_STORE_ALONE}")
        return [Finding(PROBLEM, _PART, str(problem), fix)]
    try:
        following = _read_following(settings.store.path)
        found = [*await _examine_source(source, stored, following.places if following is not None else ())]
    finally:
        await source.close()
    return [*found, *(_examine_last_told(following) if following is not None else ())]


async def _examine_source(source: PermissionSource, stored: Stored, places: tuple[Place, ...]) -> list[Finding]:
    """Read what VoipNow says of each terminal's extension, and what that means."""
    extensions = {one.endpoint: one.extension for one in stored.terminals}
    users = {one.user for one in stored.terminals}
    owned = {one.endpoint: one for one in places if one.user in users}
    try:
        version = await source.prepare()
        every = await source.read(sorted(extensions.keys() | owned))
    except SourceAway as away:
        sentence = f"VoipNow does not tell who is multi user aware: {away}."
        return [Finding(PROBLEM, _PART, sentence, _choose_remedy(str(away)))]
    here = Finding(OK, _PART, f"VoipNow's SystemAPI can be asked, version {version}.")
    said = {endpoint: one for endpoint, one in every.items() if endpoint in extensions}
    told = {endpoint: one for endpoint, one in said.items() if isinstance(one, Told)}
    untold = {endpoint: one.why for endpoint, one in said.items() if isinstance(one, NotTold)}
    found = [here, *_judge_untold(untold, bool(told), extensions), *_judge_told(told, stored)]
    found += _judge_mixed(owned, every)
    if told:
        sentence = "Whether the app may also change who is multi user aware is known once `phoneterm user allow` asks."
        found.append(Finding(UNKNOWN, _PART, sentence))
    return found


def _choose_remedy(why: str) -> Change:
    if "WSDL" in why or "version" in why:
        return Change(_SECTION, 'system_api_version = "..."   # one that this VoipNow has, such as "3.5.0"')
    if "certificate" in why:
        return Change(_SECTION, 'ca_path = "..."   # the CA of its certificate')
    if "app" in why:
        return Change(_APP, "is the app there, is it trusted, and does it belong to no service provider?")
    return Change(_SECTION, f'url = "https://...", timeout_ms = 8000; or {_STORE_ALONE}')


def _judge_untold(untold: dict[str, str], is_any_told: bool, extensions: dict[str, str]) -> Iterator[Finding]:
    if untold and not is_any_told:
        why = next(iter(untold.values()))
        sentence = (
            f"VoipNow tells the app of no terminal's extension ({why}): nobody may transfer, unless it once told and "
            "that has not expired."
        )
        fix = Change(_APP, "it must belong to the organization whose extensions these are")
        yield Finding(PROBLEM, _PART, sentence, fix)
    elif untold:
        first = min(untold)
        sentence = (
            f"VoipNow does not tell of {name_some(sorted(untold))} ({untold[first]}): they may not transfer, unless it "
            "once did and that has not expired."
        )
        fix = Change(
            "command line", f"phoneterm user change {extensions[first]} --endpoint NUMBER   # as VoipNow has it"
        )
        yield Finding(PROBLEM, _PART, sentence, fix)


def _judge_told(told: dict[str, Told], stored: Stored) -> Iterable[Finding]:
    others = {endpoint: one.type for endpoint, one in told.items() if one.type != TERMINAL_TYPE}
    for endpoint, kind in sorted(others.items()):
        sentence = f"At VoipNow {endpoint} is of type {kind}, no phone terminal: its terminal may not transfer."
        tid = next(one.tid for one in stored.terminals if one.endpoint == endpoint)
        fix = Change("command line", f"phoneterm terminal remove {tid}   # or give it an extension of a phone terminal")
        yield Finding(WARNING, _PART, sentence, fix)
    phones = {endpoint: one for endpoint, one in told.items() if endpoint not in others}
    aware = sorted(endpoint for endpoint, one in phones.items() if one.is_multi_user_aware)
    rest = sorted(phones.keys() - set(aware))
    if aware:
        yield Finding(OK, _PART, f"Phone terminals whose users are multi user aware at VoipNow: {name_some(aware)}.")
    if rest:
        user = next(one.user for one in stored.terminals if one.endpoint == rest[0])
        sentence = f"Phone terminals whose users are not multi user aware at VoipNow: {name_some(rest)}."
        yield Finding(OK, _PART, sentence, Change("command line", f"phoneterm user allow {user}   # asks VoipNow"))


def _judge_mixed(owned: dict[str, Place], said: dict[str, Told | NotTold]) -> Iterator[Finding]:
    """A user of ours with extensions of several users there, who are not all multi user aware; or once were not."""
    for user in sorted({one.user for one in owned.values()}):
        now = {place.number: said.get(endpoint) for endpoint, place in owned.items() if place.user == user}
        last = {place.number: place.told for place in owned.values() if place.number in now}
        known = {number: one if isinstance(one, Told) else last[number] for number, one in now.items()}
        flags = {number: (one.owner, one.is_multi_user_aware) for number, one in known.items() if one is not None}
        without = [number for number, (_, is_aware) in sorted(flags.items()) if not is_aware]
        if not without or len(set(flags.values())) == 1:
            continue
        sentence = (
            f"{user} has extensions of several users of VoipNow, who are not all multi user aware: none counts. "
            f"Without the flag are those of {name_some(without)}."
        )
        fix = Change("command line", f"phoneterm user change {without[-1]} --user OTHER   # a user for each one there")
        if gone := [number for number in without if isinstance(now[number], NotTold)]:
            text = f"phoneterm user remove-extension {gone[0]}   # if VoipNow does not have it any more"
            fix = Change("command line", text)
        yield Finding(WARNING, _PART, sentence, fix)


def _read_following(path: Path) -> Following | None:
    """Return what the bridge was told last; None without a store that can be read."""
    if not path.exists():
        return None
    try:
        with closing(open_read_only(path)) as connection:
            return read_following(connection.engine)
    except sa.exc.DatabaseError:
        return None  # the part about the store says it


def _examine_last_told(following: Following) -> Iterator[Finding]:
    """Say what the bridge was told last, where that is not all and new."""
    if following.trouble:
        fix = Change(_SECTION, "permissions_keep_s = ...   # how long what was said last counts")
        yield Finding(WARNING, _PART, f"In the running bridge: {describe_source(following)}", fix)
    for place in following.places if following.source else ():
        said = describe_untold(following.source, place)
        if said and place.told is not None:
            fix = Change(_APP, f"may it see {place.number}? What it is told now stands above")
            if not place.why_not:
                fix = Change("command line", "phoneterm bridge run   # or the service; a running bridge asks by itself")
            yield Finding(PROBLEM if place.is_expired else WARNING, _PART, said, fix)
