"""VoipNow: can it be reached, does it give the app a token, does it show the calls of every terminal's extension.

Does not act on a call and registers nothing. Who is multi user aware there is looked at in `voipnow_permissions`.
"""

import time
from collections.abc import Iterable

import httpx

from phoneterm_bridge.doctor.finding import OK, PROBLEM, UNKNOWN, WARNING, Change, Finding
from phoneterm_bridge.doctor.store import Stored
from phoneterm_bridge.pbx.voipnow.action_look import LOOK_FIRST_S
from phoneterm_bridge.pbx.voipnow.extension_number import extended_of
from phoneterm_bridge.pbx.voipnow.failures import AppRefused, NoAnswer, NotDone, Refused
from phoneterm_bridge.pbx.voipnow.unified_api import ALL_EXTENSIONS, UnifiedApi
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.settings.voipnow import VoipNowSettings
from phoneterm_bridge.wording.names import name_some

_PART = "pbx"
_SECTION = "settings, section [voipnow]"
_APP = "VoipNow, the page of the app"
_WRONG_APP = "invalid_client"
_PATIENCE_S = 5.0
_ROUND_MS = 5000
_OURS = "There is no such page"


async def examine_voipnow(settings: VoipNowSettings, stored: Stored) -> list[Finding]:
    """Check all that the bridge's own app can see."""
    try:
        api = UnifiedApi(settings)
    except SetupProblem as problem:
        return [Finding(PROBLEM, _PART, str(problem), Change(_SECTION, 'ca_path = "..."'))]
    try:
        found = [await _examine_token(api, settings)]
        if found[0].verdict == OK:
            found += await _examine_calls(api, settings, stored)
    finally:
        await api.close()
    if settings.events_url:
        found.append(await _examine_events(settings))
    return [*found, *_describe_limits(settings)]


async def _examine_token(api: UnifiedApi, settings: VoipNowSettings) -> Finding:
    where = f"VoipNow at {settings.url}"
    try:
        await api.get_token()
    except AppRefused as refused:
        fix = Change(_APP, "is the app there, is it trusted, and does it belong to no service provider?")
        if str(refused) == _WRONG_APP:
            fix = Change(
                _SECTION, "client_id, and PHONETERM_VOIPNOW__CLIENT_SECRET beside it, as the app's page has them"
            )
        return Finding(PROBLEM, _PART, f"{where} gives the app {settings.client_id} no token ({refused}).", fix)
    except NotDone as trouble:
        is_tls = "certificate" in str(trouble)
        fix = Change(_SECTION, 'ca_path = "..."   # the CA of its certificate' if is_tls else 'url = "https://..."')
        return Finding(PROBLEM, _PART, f"{where} cannot be asked for a token: {trouble}.", fix)
    return Finding(OK, _PART, f"{where} is there and gives the bridge's app a token.")


async def _examine_calls(api: UnifiedApi, settings: VoipNowSettings, stored: Stored) -> list[Finding]:
    """Read the calls as the bridge does, and those of each terminal's extension."""
    terminals = {extended_of(one.endpoint, settings.organization): one.extension for one in stored.terminals}
    found: list[Finding] = []
    own: set[str] = set()
    hidden: dict[str, str] = {}
    slowest_ms, slowest = 0.0, ""
    try:
        started_s = time.monotonic()
        every = {call.id for call in await api.calls()} if settings.lists == "together" else set()
        took_ms = (time.monotonic() - started_s) * 1000
        for extension in sorted(terminals):
            one_s = time.monotonic()
            try:
                own |= {call.id for call in await api.calls(extension)}
            except Refused as refused:
                hidden[extension] = str(refused)
            slowest_ms, slowest = max((slowest_ms, slowest), ((time.monotonic() - one_s) * 1000, extension))
        round_ms = (time.monotonic() - started_s) * 1000
    except Refused as refused:
        sentence = f"VoipNow does not show the calls of all extensions of {settings.user}: {refused}."
        return [Finding(PROBLEM, _PART, sentence, Change(_SECTION, 'lists = "each"   # or another user'))]
    except (NotDone, NoAnswer, AppRefused) as trouble:
        return [
            Finding(
                PROBLEM, _PART, f"VoipNow does not tell its calls: {trouble}.", Change(_SECTION, "timeout_ms = 8000")
            )
        ]
    if slowest_ms > LOOK_FIRST_S * 1000:
        sentence = (
            f"VoipNow takes {slowest_ms:.0f} ms to show the calls of {slowest}; a transfer is only asked for if that "
            f"takes less than {LOOK_FIRST_S * 1000:.0f} ms."
        )
        found.append(Finding(PROBLEM, _PART, sentence, Change("VoipNow", "why is UnifiedAPI so slow?")))
    if settings.lists == "each" and round_ms > max(settings.poll_ms, _ROUND_MS):
        sentence = (
            f"Asking for {len(terminals)} extensions one after the other takes {round_ms / 1000:.0f} s, so a phone can "
            "learn that late that a call has begun or ended."
        )
        found.append(Finding(WARNING, _PART, sentence, Change(_SECTION, 'lists = "together"   # one request for all')))
    if took_ms > settings.poll_ms:
        sentence = f"VoipNow takes {took_ms:.0f} ms for its list of calls, longer than from one look to the next."
        found.append(Finding(WARNING, _PART, sentence, Change(_SECTION, f"poll_ms = {round(2 * took_ms, -2):.0f}")))
    if own - every and settings.lists == "together":
        sentence = (
            f"Calls of the terminals' extensions are not among those of {ALL_EXTENSIONS}, so they are never seen."
        )
        found.append(Finding(PROBLEM, _PART, sentence, Change(_SECTION, 'lists = "each"')))
    return [*found, *_judge_extensions(hidden, terminals)]


def _judge_extensions(hidden: dict[str, str], terminals: dict[str, str]) -> Iterable[Finding]:
    if hidden:
        first = sorted(hidden)[0]
        sentence = f"VoipNow does not show the calls of {name_some(sorted(hidden))}: {hidden[first]}."
        fix = Change(
            "command line", f"phoneterm user change {terminals[first]} --endpoint NUMBER   # as VoipNow has it"
        )
        yield Finding(PROBLEM, "endpoints", sentence, fix)
    elif not terminals:
        sentence = "No terminal is enrolled yet, so whether VoipNow shows the calls of its extension is not known."
        yield Finding(UNKNOWN, "endpoints", sentence)
    else:
        yield Finding(OK, "endpoints", f"VoipNow shows the calls of all terminals' extensions ({len(terminals)}).")


async def _examine_events(settings: VoipNowSettings) -> Finding:
    """Look whether the address for events leads to the bridge's pages, as seen from here."""
    url = f"{settings.events_url}/doctor"
    try:
        async with httpx.AsyncClient(timeout=_PATIENCE_S, trust_env=False) as client:
            answer = await client.get(url)
    except (httpx.HTTPError, OSError) as error:
        sentence = f"The address for events {settings.events_url} does not answer here ({type(error).__name__})."
        fix = Change(_SECTION, "events_url, which must lead to the pages of [http] while the bridge runs")
        return Finding(WARNING, _PART, sentence, fix)
    if _OURS not in answer.text:
        sentence = f"The address for events {settings.events_url} leads elsewhere (it answers {answer.status_code})."
        fix = Change("the proxy in front of the bridge", "pass everything below that address on to the pages of [http]")
        return Finding(WARNING, _PART, sentence, fix)
    return Finding(OK, _PART, f"The address for events {settings.events_url} leads to the bridge.")


def _describe_limits(settings: VoipNowSettings) -> Iterable[Finding]:
    if settings.attended == "composed":
        sentence = (
            "VoipNow has no attended transfer: *2 is composed of hold, call and transfer, so each colleague is rung "
            "twice, the user has to pick up the own phone first, and only the complete key connects the two."
        )
        yield Finding(WARNING, _PART, sentence, Change(_SECTION, 'attended = "refused"   # if that is not wanted'))
    else:
        yield Finding(OK, _PART, "VoipNow has no attended transfer: *2 is refused on every phone.")
