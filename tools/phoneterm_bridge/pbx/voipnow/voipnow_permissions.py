"""VoipNow as a source of permissions: `multiUser` of each user, and the type of each extension. See `pbx.permissions`.

Does not decide what they mean. A fault about one extension, or an answer about it that is none, concerns that one
alone; a second one without an answer, or whatever else says that VoipNow itself cannot be asked, ends the reading.
"""

from collections.abc import Awaitable, Iterable
from pathlib import Path
from typing import TypeVar

from phoneterm_bridge.pbx.permissions import Extension, NotTold, Person, SourceAway, Told
from phoneterm_bridge.pbx.voipnow.extension_number import extended_of, shorten_number
from phoneterm_bridge.pbx.voipnow.failures import AppRefused, NoAnswer, NotDone, Refused, TooMany
from phoneterm_bridge.pbx.voipnow.system_api import ApiExtension, SystemApi, SystemFault
from phoneterm_bridge.settings.voipnow import VoipNowSettings

_UNTOLD_TYPE = "unknown"
_Result = TypeVar("_Result")


class _Unread(SourceAway):
    """One request was not answered; the next one may be."""


class VoipNowPermissions:
    """See `pbx.permissions.PermissionSource`."""

    name = "VoipNow"

    def __init__(self, settings: VoipNowSettings, kept: Path | None = None) -> None:
        """Connect to nothing yet; kept: where the WSDL is kept for the next start."""
        self._organization = settings.organization
        self.where = f"{settings.url}, organization {settings.organization}"
        self.api = SystemApi(settings, kept)

    async def close(self) -> None:
        """Close all connections."""
        await self.api.close()

    async def prepare(self) -> str:
        """Have a token and a WSDL."""
        await _ask(self.api.open())
        return self.api.version or ""

    async def read(self, endpoints: Iterable[str]) -> dict[str, Told | NotTold]:
        """Read the type and the user of each endpoint's extension, and once the flag of each of these users."""
        flags: dict[str, bool] = {}
        found: dict[str, Told | NotTold] = {}
        unread: _Unread | None = None
        is_answered = False
        for endpoint in endpoints:
            try:
                found[endpoint] = await self._read_one(endpoint, flags)
                is_answered, unread = True, None
            except SystemFault as fault:
                found[endpoint] = NotTold(str(fault), fault.is_about_app)
                is_answered, unread = True, None
            except _Unread as error:
                if unread is not None:
                    raise
                found[endpoint], unread = NotTold(str(error)), error
        if unread is not None and not is_answered:
            raise unread
        return found

    async def _read_one(self, endpoint: str, flags: dict[str, bool]) -> Told:
        """Read one endpoint's extension; flags: of the users that were read already."""
        details = await _ask(self.api.details(extended_of(endpoint, self._organization)))
        if details.owner not in flags:
            flags[details.owner] = bool(await _ask(self.api.is_multi_user_aware(details.owner)))
        return Told(details.owner, details.type or _UNTOLD_TYPE, flags[details.owner])

    async def set_aware(self, owner: str, is_aware: bool) -> None:
        """Update the user's `multiUser`, once."""
        try:
            await _ask(self.api.set_multi_user_aware(owner, is_aware))
        except SystemFault as fault:
            raise SourceAway(str(fault)) from None

    async def list_people(self, account: str | None) -> list[tuple[Person, list[Extension]]]:
        """Return all users with their extensions, by the numbers that their own phones dial."""
        found, whose = [], ""
        try:
            for user in await _ask(self.api.users(account)):
                whose = f" (about the user {user.login or user.name or user.id})"
                extensions = await _ask(self.api.extensions(user.id))
                found.append((Person(*user), [self._describe(one) for one in extensions]))
        except SystemFault as fault:
            raise SourceAway(f"{fault}{whose}") from None
        return found

    def _describe(self, one: ApiExtension) -> Extension:
        return Extension(shorten_number(one.number, self._organization), one.type or _UNTOLD_TYPE)


async def _ask(request: Awaitable[_Result]) -> _Result:
    """Return an answer; SourceAway when there is none."""
    try:
        return await request
    except TooMany as error:
        raise SourceAway(str(error), error.after_s) from None
    except AppRefused as error:
        raise SourceAway(f"it refuses the app: {error}") from None
    except (NotDone, NoAnswer, Refused) as error:
        raise _Unread(str(error)) from None
