"""A PBX that says itself who is multi user aware, and what an extension is. Does not store or enforce what it says.

A source is one class with the methods of `PermissionSource`. It reads as often as it likes, but writes once, and what
came of a write is known by reading again alone.
"""

from collections.abc import Iterable
from typing import NamedTuple, Protocol


class Told(NamedTuple):
    """What the PBX says of one extension. owner: the id of its user there; type: TERMINAL_TYPE for a phone terminal."""

    owner: str
    type: str
    is_multi_user_aware: bool


class NotTold(NamedTuple):
    """What the PBX answers instead, of one extension alone, in a few words. is_about_bridge: the bridge may not ask."""

    why: str
    is_about_bridge: bool = False


class Person(NamedTuple):
    """A user at the PBX. name, login: "" where they are not told."""

    owner: str
    name: str
    login: str


class Extension(NamedTuple):
    """An extension at the PBX."""

    endpoint: str
    type: str


class SourceAway(Exception):
    """The PBX cannot be asked now; the text says why in a few words. after_s: when again, if it says so."""

    def __init__(self, text: str, after_s: float | None = None) -> None:
        """Keep both."""
        super().__init__(text)
        self.after_s = after_s


class PermissionSource(Protocol):
    """A PBX that can be asked. name: what people call it, in one word; where: which one of that name it is."""

    name: str
    where: str

    async def prepare(self) -> str:
        """Get ready to ask; return which version of its interface is spoken. SourceAway when it cannot be asked."""

    async def read(self, endpoints: Iterable[str]) -> dict[str, Told | NotTold]:
        """Return what it says of each of these endpoints; SourceAway when it does not answer at all."""

    async def set_aware(self, owner: str, is_aware: bool) -> None:
        """Ask it once to give a user the permission, or to take it away; SourceAway when it may not have done so.

        Whatever comes of this, only `read` says what is so.
        """

    async def list_people(self, account: str | None) -> list[tuple[Person, list[Extension]]]:
        """Return all users that there are, or those of one account, with their extensions; SourceAway likewise."""

    async def close(self) -> None:
        """Close all connections."""
