"""The settings of the operator's console: where it is, under which names, and who may sign in for others. Serves none.

`names` and addresses are those that a browser asks for. A reverse proxy that has signed somebody in names the account
in a header; the header counts only from the proxy's own address.
"""

import ipaddress
import re
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from phoneterm_bridge.settings.loopback import is_loopback

_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")


class ConsoleSettings(BaseModel):
    """Whether and where the console is served; port 0 lets the system choose one.

    https: a reverse proxy with TLS is before it, so its cookies never travel in the clear.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = False
    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(8372, ge=0, le=65535)
    allow_remote: bool = False
    names: tuple[str, ...] = ()
    https: bool = False
    proxy_address: str = ""
    proxy_header: str = ""

    @model_validator(mode="after")
    def _refuse_unmeant_exposure(self) -> Self:
        if not self.allow_remote and not is_loopback(self.host):
            raise ValueError(
                f"The console at {ascii(self.host)[1:-1]} would be open to other machines, and passwords would travel "
                "in the clear: set console.host to 127.0.0.1 with a reverse proxy before it, or console.allow_remote = "
                "true"
            )
        return self

    @model_validator(mode="after")
    def _refuse_half_a_proxy(self) -> Self:
        if bool(self.proxy_address) != bool(self.proxy_header):
            raise ValueError(
                "A reverse proxy that signs people in needs both: set console.proxy_address and console.proxy_header"
            )
        if self.proxy_address:
            try:
                ipaddress.ip_address(self.proxy_address)
            except ValueError:
                raise ValueError("The reverse proxy is not an address: set console.proxy_address to one") from None
            if not _HEADER.fullmatch(self.proxy_header):
                raise ValueError("The reverse proxy's header has letters, digits and -: set console.proxy_header so")
        return self
