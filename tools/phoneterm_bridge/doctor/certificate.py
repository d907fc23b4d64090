"""TLS certificates of broker and PBX: whether they are accepted, for the right name, and for how much longer.

Does not read certificates itself: Python's TLS does, in a handshake with the broker or, for the embedded broker's
files, in one that never leaves memory.
"""

import asyncio
import ssl
import time
from contextlib import suppress

from phoneterm_bridge.broker.handshake import shake_hands
from phoneterm_bridge.broker.tls import make_client_context, make_server_context
from phoneterm_bridge.doctor.finding import OK, PROBLEM, WARNING, Change, Finding
from phoneterm_bridge.doctor.trouble import describe_trouble
from phoneterm_bridge.settings.bridge import BrokerSettings, PbxSettings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.wording.names import name_some

_PART = "certificate"
_DAY_S = 86400
_SOON_DAYS = 21
_CONNECT_S = 5
_REFUSAL_S = 1
_RENEW = Change("settings, section [broker]", 'certificate_path = "..."   # a new one, then restart the broker')

_OWN = Change(
    "settings, section [broker]",
    'client_certificate_path = "..." and client_key_path = "..."   # of the CA that the broker has for its clients',
)


def examine_files(settings: BrokerSettings) -> list[Finding]:
    """Look at the certificate files of the embedded broker; nothing without TLS."""
    if settings.certificate_path is None or settings.key_path is None:
        return []
    try:
        server = make_server_context(settings.certificate_path, settings.key_path)
        client = ssl.create_default_context(cafile=str(settings.ca_path or settings.certificate_path))
        client.check_hostname = False
        if settings.ca_path is None:
            client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        found = shake_hands(client, server)
    except SetupProblem as problem:
        return [Finding(PROBLEM, _PART, str(problem), _RENEW)]
    except ssl.SSLError as error:
        sentence = f"Terminals will not accept the broker's certificate {settings.certificate_path}: "
        return [Finding(PROBLEM, _PART, f"{sentence}{describe_trouble(error)}.", _RENEW)]
    except OSError as error:
        fix = Change("settings, section [broker]", 'ca_path = "..."')
        return [Finding(PROBLEM, _PART, f"The CA {settings.ca_path} cannot be read: {describe_trouble(error)}.", fix)]
    names = sorted(value for _, value in found.get("subjectAltName", ()))
    return [judge_dates(found, f"it is for {name_some(names)}, so terminals must use such a name as mqtt_host")]


async def examine_server(settings: BrokerSettings) -> list[Finding]:
    """Look at the certificate that a broker shows; nothing without TLS."""
    if settings.ca_path is None:
        return []
    try:
        context = make_client_context(settings)
    except SetupProblem as problem:
        return [Finding(PROBLEM, _PART, str(problem), _OWN)]
    return [await _look_at("broker", settings.host, settings.port, context, _RENEW)]


async def examine_manager(settings: PbxSettings) -> list[Finding]:
    """Look at the certificate that the PBX's manager interface shows; nothing without TLS."""
    if not settings.tls:
        return []
    text = "tlscertfile = ...   # for this name; a CA of your own: SSL_CERT_FILE in the bridge's environment"
    renew = Change("manager.conf, section [general]", text)
    return [await _look_at("PBX", settings.host, settings.port, ssl.create_default_context(), renew)]


async def _look_at(who: str, host: str, port: int, context: ssl.SSLContext | None, renew: Change) -> Finding:
    where = f"{who} {host}:{port}"
    try:
        async with asyncio.timeout(_CONNECT_S):
            reader, writer = await asyncio.open_connection(host, port, ssl=context)
        found = writer.get_extra_info("peercert")
        try:
            await _hear_refusal(reader)
        finally:
            writer.close()
    except ssl.SSLCertVerificationError as error:
        sentence = f"The {where} shows a certificate that is not accepted: {describe_trouble(error)}."
        return Finding(PROBLEM, _PART, sentence, renew)
    except ssl.SSLError as error:
        if who == "broker" and "ALERT" in (error.reason or ""):
            said = describe_trouble(error)
            sentence = f"The {where} refuses the bridge; perhaps it wants another certificate from it: {said}."
            return Finding(PROBLEM, _PART, sentence, _OWN)
        fix = Change("settings", "the port where TLS is spoken, usually 8883 (broker) or 5039 (pbx)")
        return Finding(PROBLEM, _PART, f"The {where} does not speak TLS: {describe_trouble(error)}.", fix)
    except (OSError, TimeoutError) as error:
        fix = Change("settings", "host, port and ca_path")
        return Finding(PROBLEM, _PART, f"The {where} shows no certificate: {describe_trouble(error)}.", fix)
    return judge_dates(found, f"it is accepted for {host}", who, renew)


async def _hear_refusal(reader: asyncio.StreamReader) -> None:
    """Wait for the server to refuse the client's certificate: with TLS 1.3 that comes after the handshake."""
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(_REFUSAL_S):
            await reader.read(1)


def judge_dates(certificate: dict, otherwise: str, who: str = "broker", renew: Change = _RENEW) -> Finding:
    """Say how long an accepted certificate is still valid."""
    days = int((ssl.cert_time_to_seconds(certificate["notAfter"]) - time.time()) // _DAY_S)
    sentence = f"The {who}'s certificate is good for {days} more days; {otherwise}."
    if days < _SOON_DAYS:
        return Finding(WARNING, _PART, sentence, renew)
    return Finding(OK, _PART, sentence)
