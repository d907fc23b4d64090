"""The TLS of the embedded broker, whose certificate can be renewed while it listens. Does not listen itself.

Connections that are open keep the certificate with which they began; each later one gets the newest.
"""

import ssl

from phoneterm_bridge.broker.handshake import shake_hands
from phoneterm_bridge.broker.tls import make_server_context, make_terminal_context
from phoneterm_bridge.settings.broker import BrokerSettings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.wording.trouble import describe_trouble


class RenewableTls:
    """`context` is for the listener, for as long as it listens; SetupProblem when the files cannot be used."""

    def __init__(self, settings: BrokerSettings) -> None:
        self._settings = settings
        self.context = self._newest = self._read()
        # OpenSSL calls this in every handshake, also if the client names no server.
        self.context.sni_callback = self._choose

    def renew(self) -> None:
        """Read the files again; SetupProblem, and nothing changes, when terminals could not use them."""
        fresh = self._read()
        asks_clients, fresh.verify_mode = fresh.verify_mode, ssl.CERT_NONE
        try:
            shake_hands(make_terminal_context(self._settings), fresh)
        except ssl.SSLError as error:
            raise SetupProblem(
                f"Terminals would not accept the certificate {self._settings.certificate_path} "
                f"(broker.certificate_path): {describe_trouble(error)}."
            ) from None
        fresh.verify_mode = asks_clients
        self._newest = fresh

    def _read(self) -> ssl.SSLContext:
        settings = self._settings
        assert settings.certificate_path is not None
        assert settings.key_path is not None
        return make_server_context(settings.certificate_path, settings.key_path, settings.client_ca_path)

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._newest
