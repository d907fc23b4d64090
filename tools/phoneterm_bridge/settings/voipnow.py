"""The settings of a VoipNow: where it is, which app the bridge is there, how often it is asked. Does not connect.

There is no way to speak to it without TLS. What is missing for `pbx.kind = "voipnow"` is told with all other mistakes.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from phoneterm_bridge.settings.file_path import require_name

NEEDED = ("url", "client_id", "client_secret", "organization")


class VoipNowSettings(BaseModel):
    """Where a VoipNow is, and what the bridge may ask of it.

    permissions: who says who is multi user aware and what an extension is: "voipnow", by its SystemAPI, or this
    bridge's "store" alone. permissions_poll_s: from one reading of them to the next. permissions_keep_s: for how long
    what was read last counts while they cannot be read; after that nobody may transfer. system_api_version: the version
    of SystemAPI, "" for the newest one that works.

    url: https:// and its host, with the port if it is not 443. client_id, client_secret: of the app. redirect_uri: as
    the app was registered, or else `url` itself. organization: what stands before the star of its extensions (0003 of
    0003*210); an endpoint without a star belongs to it. ca_path: a CA to trust instead of the system's, a PEM file.
    user: whose calls are asked for. lists: "together" asks for all extensions of that user in one request, "each" for
    one extension after the other. poll_ms: from one look at the calls to the next. timeout_ms: until an answer that
    does not come is given up. events_url: an address that leads VoipNow to the bridge's pages; without it VoipNow is
    not asked to tell of calls. attended: "refused", because VoipNow has no attended transfer; or "composed" of hold,
    call and transfer, which rings the colleague twice.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = ""
    permissions: Literal["voipnow", "store"] = "voipnow"
    permissions_poll_s: int = Field(60, ge=1, le=3600)
    permissions_keep_s: int = Field(43_200, ge=10, le=2_592_000)
    system_api_version: str = Field("", pattern=r"^(latest|[0-9]{1,3}(\.[0-9]{1,3}){1,3})?$")

    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    redirect_uri: str = ""
    organization: str = Field("", pattern=r"^([0-9]{1,16})?$")
    ca_path: Path | None = None
    user: str = Field("@me", pattern=r"^(@me|@viewer|@owner|[0-9]{1,16})$")
    lists: Literal["together", "each"] = "together"
    poll_ms: int = Field(1000, ge=100, le=60_000)
    timeout_ms: int = Field(4000, ge=500, le=8000)
    events_url: str = Field("", pattern=r"^(https?://[A-Za-z0-9.:\[\]_-]+(/[A-Za-z0-9._~-]+)*/?)?$", max_length=200)

    attended: Literal["refused", "composed"] = "refused"

    _require_name = field_validator("ca_path")(require_name)

    @field_validator("url")
    @classmethod
    def _require_https(cls, url: str) -> str:
        """Return an address without what is left empty at its end; refuse one that is more than scheme, host, port."""
        if not url:
            return url
        parts = _split(url)
        is_plain = parts is not None and not (parts.path.strip("/") or parts.query or parts.fragment or parts.username)
        if parts is None or parts.scheme != "https" or not parts.hostname or not is_plain:
            raise PydanticCustomError("no_url", "it is https:// and a host, such as https://voipnow.example")
        return url.rstrip("/")

    @field_validator("permissions_keep_s")
    @classmethod
    def _require_longer(cls, keep_s: int, info: ValidationInfo) -> int:
        """Refuse what would have permissions expire before they can be read again."""
        poll_s = info.data.get("permissions_poll_s", 0)
        if keep_s < poll_s:
            raise PydanticCustomError("too_short", f"it is no shorter than permissions_poll_s, which is {poll_s}")
        return keep_s

    @field_validator("events_url")
    @classmethod
    def _strip_end(cls, url: str) -> str:
        return url.rstrip("/")

    def missing(self) -> Iterator[str]:
        """Yield the names of the settings without which there is no VoipNow."""
        for name in NEEDED:
            value = getattr(self, name)
            if not (value.get_secret_value() if isinstance(value, SecretStr) else value):
                yield f"voipnow.{name}"


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  a port that is none raises ValueError here
    except ValueError:
        return None
    return parts if url.isprintable() and " " not in url else None
