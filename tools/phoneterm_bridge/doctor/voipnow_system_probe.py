"""Tries at a real VoipNow what no source settles about SystemAPI, and reports what was seen. Judges nothing.

It reads; only if it is told to does it also change the flag multi user aware of the test extension's user, and back
again. Names, ids and numbers are not in the report.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable
from typing import Any

from phoneterm_bridge.doctor.voipnow_probe import Seen, mask
from phoneterm_bridge.pbx.voipnow.failures import AppRefused, NoAnswer, NotDone, Refused
from phoneterm_bridge.pbx.voipnow.https_client import Reply
from phoneterm_bridge.pbx.voipnow.system_api import VERSIONS, SystemApi, SystemFault
from phoneterm_bridge.pbx.voipnow.unified_api import UnifiedApi
from phoneterm_bridge.settings.voipnow import VoipNowSettings

_TROUBLE = (NotDone, NoAnswer, Refused, AppRefused, SystemFault)
_LOOK_EVERY_S = 0.2
_EFFECT_S = 30.0
_TOKEN_NOT_TAKEN = 401


class SystemProbe:
    """One run. extension: the test extension as VoipNow has it."""

    def __init__(self, settings: VoipNowSettings, extension: str) -> None:
        """Ask nothing yet."""
        self._settings = settings
        self._extension = extension
        self._seen: list[Seen] = []

    async def run(self, wrong: str | None, is_flag_changed: bool) -> list[Seen]:
        """Return what was seen. wrong: a number that does not exist; is_flag_changed: change the flag, and back."""
        taken = [version for version in VERSIONS if await self._look_at_version(version)]
        self._add("SystemAPI: versions that it takes", ", ".join(taken) or "none")
        if taken:
            api = SystemApi(self._settings.model_copy(update={"system_api_version": taken[0]}))
            try:
                await self._look_at_reads(api, wrong)
                await self._look_at_tokens(api)
                if is_flag_changed:
                    await self._look_at_change(api)
            except _TROUBLE as trouble:
                self._add("SystemAPI: what ended this run", _words(trouble))
            finally:
                await api.close()
        if not is_flag_changed:
            self._add("SystemAPI: how soon a change of multiUser is in force", "not tried; --change-flag tries it")
        return self._seen

    async def _look_at_version(self, version: str) -> bool:
        """Return whether this version is taken; note what comes of a WSDL and of a request."""
        api = SystemApi(self._settings.model_copy(update={"system_api_version": version}))
        try:
            started_s = time.monotonic()
            await api.open()
            self._add(f"SystemAPI {version}: WSDL", f"understood after {_since(started_s)}")
            details = await api.details(self._extension)
        except _TROUBLE as trouble:
            self._add(f"SystemAPI {version}", _words(trouble))
            return False
        finally:
            await api.close()
        self._add(f"SystemAPI {version}: GetExtensionDetails", f"answered, extensionType {details.type or 'not told'}")
        return True

    async def _look_at_reads(self, api: SystemApi, wrong: str | None) -> None:
        details = await api.details(self._extension)
        started_s = time.monotonic()
        flag = await api.is_multi_user_aware(details.owner)
        told = "not told" if flag is None else "told"
        self._add("SystemAPI: multiUser", f"{told}, after {_since(started_s)}")
        await self._try("SystemAPI: users without a parent", _count(api.users()))
        await self._try("SystemAPI: extensions of the user", _count(api.extensions(details.owner)))
        if wrong is not None:
            await self._try("SystemAPI: an extension that does not exist", api.details(wrong))

    async def _look_at_tokens(self, api: SystemApi) -> None:
        """Look whether another token of the same app ends the one that is in use, here and at UnifiedAPI."""
        refused = 0

        def count(method: str, path: str, reply: Reply) -> None:
            nonlocal refused
            refused += reply.status == _TOKEN_NOT_TAKEN

        other = UnifiedApi(self._settings, count)
        try:
            await other.calls(self._extension)
            await api.details(self._extension)
            await other.calls(self._extension)
        except _TROUBLE as trouble:
            self._add("two tokens of one app", _words(trouble))
        else:
            ended = refused + api.tokens_refused
            said = "both good" if ended == 0 else f"{ended} times one was not taken any more"
            self._add("two tokens of one app", said)
        finally:
            await other.close()

    async def _look_at_change(self, api: SystemApi) -> None:
        owner = (await api.details(self._extension)).owner
        before = bool(await api.is_multi_user_aware(owner))
        for is_aware in (not before, before):
            point = f"SystemAPI: multiUser {'changed' if is_aware != before else 'changed back'}"
            started_s = time.monotonic()
            try:
                await api.set_multi_user_aware(owner, is_aware)
            except _TROUBLE as trouble:
                self._add(point, _words(trouble))
                if is_aware != before:  # perhaps it was done all the same
                    continue
                return
            answered = _since(started_s)
            self._add(point, f"answered after {answered}, read back {await self._wait_for(api, owner, is_aware)}")

    async def _wait_for(self, api: SystemApi, owner: str, is_aware: bool) -> str:
        started_s = time.monotonic()
        while time.monotonic() - started_s < _EFFECT_S:
            with contextlib.suppress(*_TROUBLE):  # whatever it answers meanwhile, the flag must be changed back
                if bool(await api.is_multi_user_aware(owner)) == is_aware:
                    return f"after {_since(started_s)}"
            await asyncio.sleep(_LOOK_EVERY_S)
        return f"not within {_EFFECT_S:.0f} s"

    async def _try(self, point: str, request: Awaitable[Any]) -> None:
        try:
            found = await request
        except _TROUBLE as trouble:
            self._add(point, _words(trouble))
        else:
            self._add(point, f"answered, {found}" if isinstance(found, int) else "answered")

    def _add(self, point: str, what: str) -> None:
        self._seen.append(Seen(point, what))


async def _count(request: Awaitable[list[Any]]) -> int:
    return len(await request)


def _words(trouble: Exception) -> str:
    """Return what was answered; of a fault the number stays, and its text is masked."""
    if isinstance(trouble, SystemFault):
        return f"fault {trouble.number or 'without a number'}: {mask(str(trouble).partition(': ')[2])}"
    return str(trouble) or type(trouble).__name__


def _since(started_s: float) -> str:
    return f"{(time.monotonic() - started_s) * 1000:.0f} ms"
