"""The settings of the MQTT broker: where it is, who may connect, and what is encrypted. Does not read files or connect.

An unencrypted connection to another machine is refused, unless the settings allow it explicitly.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from phoneterm_bridge.settings.file_path import require_name
from phoneterm_bridge.settings.loopback import is_loopback

_MOST_CHARS_SHOWN = 60  # of a host, because it comes from outside


class BrokerSettings(BaseModel):
    """Where the MQTT broker is; `embedded` starts one inside the bridge, for the terminals of the store.

    ca_path: the CA of the broker's certificate. certificate_path, key_path: that certificate and its key, for the
    embedded broker and for the configuration of a mosquitto. client_ca_path: the CA of the clients' certificates; if it
    is set, the broker refuses every client without one. client_certificate_path, client_key_path: the bridge's own, for
    a mosquitto. All of these are PEM files. psk_port: the port on which a mosquitto listens for terminals with TLS-PSK;
    0: none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    embedded: bool = True
    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(1883, ge=0, le=65535)
    username: str = "bridge"
    password: SecretStr = SecretStr("")
    ca_path: Path | None = None
    certificate_path: Path | None = None
    key_path: Path | None = None
    client_ca_path: Path | None = None
    client_certificate_path: Path | None = None
    client_key_path: Path | None = None
    psk_port: int = Field(0, ge=0, le=65535)
    allow_plain: bool = False
    keepalive_s: int = Field(15, ge=5, le=600)
    base: str = Field("phoneterm", pattern=r"^[A-Za-z0-9_.-]+$")

    _require_name = field_validator(
        "ca_path", "certificate_path", "key_path", "client_ca_path", "client_certificate_path", "client_key_path"
    )(require_name)

    @property
    def is_tls(self) -> bool:
        """Return whether the connections to the broker are encrypted."""
        return (self.certificate_path if self.embedded else self.ca_path) is not None

    @model_validator(mode="after")
    def _refuse_what_does_not_fit(self) -> Self:
        """Name all settings that do not fit together, one sentence a line."""
        problems = [*self._half_tls(), *self._half_client_certificates()]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _half_tls(self) -> Iterator[str]:
        for owner in ("", "client_"):
            names = (f"{owner}certificate_path", f"{owner}key_path")
            if len([name for name in names if getattr(self, name) is None]) == 1:
                yield f"The settings broker.{names[0]} and broker.{names[1]} only work together"
        if not self.is_tls and not self.allow_plain and not is_loopback(self.host):
            remedy = "broker.certificate_path and broker.key_path" if self.embedded else "broker.ca_path"
            yield (
                f"The broker {ascii(self.host)[1:-1][:_MOST_CHARS_SHOWN]} would be spoken to in the clear: set "
                f"{remedy} (TLS), or broker.allow_plain = true"
            )

    def _half_client_certificates(self) -> Iterator[str]:
        if self.client_ca_path and not self.certificate_path:
            yield "The setting broker.client_ca_path needs TLS: set broker.certificate_path and broker.key_path"
        elif self.client_ca_path and not self.embedded and not self.client_certificate_path:
            yield (
                "With broker.client_ca_path the bridge needs a certificate too: set broker.client_certificate_path and "
                "broker.client_key_path"
            )
        if self.embedded and self.psk_port:
            yield (
                "The setting broker.psk_port is for a mosquitto (broker.embedded = false): the embedded broker has no "
                "TLS-PSK"
            )
