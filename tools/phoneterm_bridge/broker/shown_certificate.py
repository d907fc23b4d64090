"""Reads the certificate that a broker's listener shows, whatever the files say. Does not judge how long it still lasts.

It may be expired, or for any name; `distrust` says why a client that trusts the CA of the settings does not accept it
apart from that (without broker.ca_path: nobody knows). Python reads a certificate only if it trusts it, so any other
is looked at twice, and trusted for the second handshake. Dates are seconds since 1970.
"""

import asyncio
import ssl
from dataclasses import dataclass

from phoneterm_bridge.broker.tls import load_client_certificate, make_terminal_context
from phoneterm_bridge.settings.broker import BrokerSettings
from phoneterm_bridge.wording.trouble import describe_trouble

_CONNECT_S = 5
_WHATEVER_THE_DATE = ssl.VerifyFlags(0x200000)  # X509_V_FLAG_NO_CHECK_TIME, which Python has no name for
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


@dataclass(frozen=True)
class ShownCertificate:
    """What a listener shows: fields as Python's TLS names them, DER form, why clients do not trust it ("": they do)."""

    fields: dict
    der: bytes
    distrust: str = ""

    @property
    def starts_s(self) -> float:
        """Return when it begins to be valid."""
        return ssl.cert_time_to_seconds(self.fields["notBefore"])

    @property
    def ends_s(self) -> float:
        """Return when it ends."""
        return ssl.cert_time_to_seconds(self.fields["notAfter"])

    @property
    def names(self) -> list[str]:
        """Return the names and addresses that it is for."""
        return sorted(value for _, value in self.fields.get("subjectAltName", ()))


def where_to_look(settings: BrokerSettings) -> str:
    """Return the host at which this machine reaches the broker: loopback, if that listens everywhere."""
    return _EVERYWHERE.get(settings.host, settings.host) if settings.embedded else settings.host


async def read_shown(settings: BrokerSettings, port: int) -> ShownCertificate:
    """Return what the broker of the settings shows on this port; OSError, TimeoutError, or SetupProblem for its files.

    SSLError, an OSError, when no TLS is spoken there.
    """
    host, distrust = where_to_look(settings), ""
    if settings.ca_path is not None:
        try:
            return await _read(settings, host, port, make_terminal_context(settings))
        except ssl.SSLCertVerificationError as error:
            distrust = describe_trouble(error)
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    _, der = await _shake_hands(settings, host, port, blind)
    trusting_it = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting_it.check_hostname = False
    trusting_it.load_verify_locations(cadata=der)
    trusting_it.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return await _read(settings, host, port, trusting_it, distrust)


async def _read(
    settings: BrokerSettings, host: str, port: int, context: ssl.SSLContext, distrust: str = ""
) -> ShownCertificate:
    context.verify_flags |= _WHATEVER_THE_DATE
    fields, der = await _shake_hands(settings, host, port, context)
    return ShownCertificate(fields, der, distrust)


async def _shake_hands(settings: BrokerSettings, host: str, port: int, context: ssl.SSLContext) -> tuple[dict, bytes]:
    """Return the certificate's fields (empty if it is not verified) and its DER form."""
    load_client_certificate(context, settings)
    async with asyncio.timeout(_CONNECT_S):
        _, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        tls = writer.get_extra_info("ssl_object")
        return tls.getpeercert(), tls.getpeercert(binary_form=True)
    finally:
        writer.close()
