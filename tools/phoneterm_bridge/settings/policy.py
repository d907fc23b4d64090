"""The settings of the policy: which numbers callers may be sent to, how often and when. Does not apply them.

Prefixes and numbers are texts of digits. A limit of 0 means none. What else a terminal may do is in the store.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from phoneterm_bridge.settings.office_hours import read_hours

_Prefix = Annotated[str, Field(pattern=r"^[0-9*]{1,32}$")]
_Class = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,16}$")]


def _check_hours(text: str) -> str:
    try:
        read_hours(text)
    except ValueError as error:
        raise ValueError(f"The setting policy.office_hours is not right: {error}") from None
    return text


class PolicySettings(BaseModel):
    """The rules of this site for all terminals.

    allow, deny: prefixes; of the terminal's and the site's together the longest one counts, and deny wins a tie.
    internal: the classes that are not external. emergency: whole numbers, also behind an outside_line prefix.
    features: prefixes. allow_kinds: kinds of dangerous numbers, as the dialplan tells them, that may be a target
    all the same. external_per_hour: once it is reached, external transfers are off until they are restored.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    allow: tuple[_Prefix, ...] = ()
    deny: tuple[_Prefix, ...] = ()
    internal: tuple[_Class, ...] = ("internal",)
    emergency: tuple[_Prefix, ...] = ("000", "110", "112", "911", "999")
    outside_line: tuple[_Prefix, ...] = ("0",)
    features: tuple[_Prefix, ...] = ("*",)
    allow_kinds: tuple[Literal["spy", "barge", "disa", "mailbox", "login", "settings", "pickup"], ...] = ()
    commands_per_minute: int = Field(30, ge=0, le=100_000)
    external_per_hour: int = Field(60, ge=0, le=100_000)
    external_at_once: int = Field(10, ge=0, le=100_000)
    office_hours: Annotated[str, AfterValidator(_check_hours)] = ""
