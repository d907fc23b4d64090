"""The settings of the bridge's own web pages: health and metrics. Does not serve them."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from phoneterm_bridge.settings.loopback import is_loopback


class HttpSettings(BaseModel):
    """Whether and where the pages are served; port 0 lets the system choose one.

    The pages ask for no password, so they stay on this machine unless allow_remote lets others read them. names: host
    names by which they are asked for, beside localhost, `host` and every address.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = False
    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(8371, ge=0, le=65535)
    allow_remote: bool = False
    names: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _refuse_unmeant_exposure(self) -> Self:
        if not self.allow_remote and not is_loopback(self.host):
            raise ValueError(
                f"The pages at {ascii(self.host)[1:-1]} would be open to other machines without a password: set "
                "http.host to 127.0.0.1, or http.allow_remote = true"
            )
        return self
