"""What a new terminal gets: its settings with its secrets, and the broker's address and CA. Writes no file.

Whatever can be refused about the address is refused before anything is enrolled.
"""

import ssl
from typing import NamedTuple

from phoneterm_bridge.broker.address import Address, judge_address
from phoneterm_bridge.broker.terminal_document import TerminalDocument
from phoneterm_bridge.broker.terminal_settings import device_settings
from phoneterm_bridge.settings.broker import BrokerSettings
from phoneterm_bridge.settings.file_path import require_file
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.records import Enrolment


class Handout(NamedTuple):
    """What all terminals of one command get: the broker with its address and CA."""

    broker: BrokerSettings
    address: Address
    ca: bytes | None

    def document(self, enrolment: Enrolment, extension: str) -> str:
        """Return the text of one terminal's file."""
        texts = device_settings(enrolment, self.broker, self.address)
        return TerminalDocument(extension, texts, self.ca).encode()


def prepare_handout(
    broker: BrokerSettings, mqtt_host: str | None, tls_host: str | None, time_host: str | None, is_here: bool
) -> Handout:
    """Return what the terminals get; SetupProblem if a terminal could not reach the broker with it."""
    address = judge_address(broker, mqtt_host, tls_host, time_host, is_here)
    if not (is_here or broker.is_tls or broker.psk_port or broker.allow_plain):
        raise SetupProblem(
            "No board would connect to this broker, because it has no TLS: `phoneterm tls init` makes its certificate; "
            "or let boards do without, in section [broker]: allow_plain = true."
        )
    has_ca = broker.is_tls and not broker.psk_port
    return Handout(broker, address, read_ca(broker) if has_ca else None)


def read_ca(broker: BrokerSettings) -> bytes:
    """Return the CA of broker.ca_path in DER form, which terminals pin."""
    if broker.ca_path is None:
        raise SetupProblem("The setting broker.ca_path does not name a CA: there is nothing to pin.")
    try:
        require_file(broker.ca_path)
        text = broker.ca_path.read_text(encoding="ascii").strip()
        if text.count("BEGIN CERTIFICATE") != 1:
            raise ValueError("not one certificate")
        return ssl.PEM_cert_to_DER_cert(text)
    except (OSError, ValueError):
        raise SetupProblem(f"The file {broker.ca_path} (broker.ca_path) is not one CA in PEM form.") from None


def default_tid(extension: str) -> str:
    """Return the id for a terminal whose id is not given."""
    return f"phone-{extension.replace('*', '-')}"
