"""TLS certificates of broker and PBX: whether they are accepted, for the right name, and for how much longer.

Does not read certificates itself: Python's TLS does, in a handshake. What counts is what the broker shows; the files of
the embedded broker are looked at, in a handshake in memory, only while the bridge does not run.
"""

import asyncio
import ssl
import time
from contextlib import suppress
from pathlib import Path

from phoneterm_bridge.broker.handshake import shake_hands
from phoneterm_bridge.broker.shown_certificate import ShownCertificate, read_shown
from phoneterm_bridge.broker.tls import make_client_context, make_server_context, make_terminal_context
from phoneterm_bridge.doctor.finding import OK, PROBLEM, WARNING, Change, Finding
from phoneterm_bridge.doctor.pbx_files import MANAGER_GENERAL
from phoneterm_bridge.settings.bridge import BrokerSettings, PbxSettings
from phoneterm_bridge.settings.file_path import require_file
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.wording.names import name_some
from phoneterm_bridge.wording.service import how_to_reload, how_to_restart
from phoneterm_bridge.wording.trouble import describe_trouble

_PART = "certificate"
_DAY_S = 86400
_SOON_DAYS = 21
_CONNECT_S = 5
_REFUSAL_S = 1
_RENEW = Change("command line", "phoneterm tls renew   # or another broker.certificate_path; then reload the broker")
_SOON_DAYS_OF_CA = 730  # every board must be visited
_NEW_CA = Change("command line", "phoneterm tls show   # says what to do")
_RELOAD_MOSQUITTO = Change("command line", "phoneterm broker config ..., then systemctl reload mosquitto")

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
        trusted = settings.ca_path or settings.certificate_path
        require_file(trusted)
        client = ssl.create_default_context(cafile=str(trusted))
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
    return [judge_dates(found, _for_names(names))]


async def examine_shown(settings: BrokerSettings) -> list[Finding]:
    """Look at the certificate that the embedded broker shows, as a terminal sees it; nothing without TLS.

    Terminals connect to one of its names. The doctor connects to wherever the broker listens, so no name is compared.
    """
    if settings.certificate_path is None:
        return []
    where = f"broker {settings.host}:{settings.port}"
    try:
        shown = await read_shown(settings, settings.port)
    except SetupProblem as problem:
        return [Finding(PROBLEM, _PART, str(problem), _OWN)]
    except (OSError, TimeoutError) as error:
        sentence = f"The {where} shows no certificate: {describe_trouble(error)}."
        fix = Change("command line", f"{how_to_restart()}, if it has older settings")
        return [Finding(PROBLEM, _PART, sentence, fix)]
    return [_judge_shown(shown, where), *_compare_file(settings, shown.der)]


async def examine_server(settings: BrokerSettings) -> list[Finding]:
    """Look at the certificate that a broker shows; nothing without TLS."""
    if settings.ca_path is None:
        return []
    try:
        context = make_client_context(settings)
    except SetupProblem as problem:
        return [Finding(PROBLEM, _PART, str(problem), _OWN)]
    found = [await _look_at("broker", settings.host, settings.port, context, _RENEW)]
    if settings.certificate_path is not None:
        with suppress(OSError, TimeoutError, SetupProblem):
            found += _compare_file(settings, (await read_shown(settings, settings.port)).der)
    return found


def examine_authority(settings: BrokerSettings) -> list[Finding]:
    """Warn two years before the CA ends that terminals trust; nothing before, or when it cannot be read."""
    try:
        known = [] if settings.ca_path is None else make_terminal_context(settings).get_ca_certs()
    except SetupProblem:
        return []  # the certificate's own finding says so
    if not known:
        return []
    days = min(_days_left(one) for one in known)
    if days >= _SOON_DAYS_OF_CA:
        return []
    sentence = f"The CA {settings.ca_path}, which every board has, is good for {days} more days."
    return [Finding(WARNING, _PART, sentence, _NEW_CA)]


async def examine_manager(settings: PbxSettings) -> list[Finding]:
    """Look at the certificate that the PBX's manager interface shows; nothing without TLS."""
    if not settings.tls:
        return []
    text = "tlscertfile = ...   # for this name; a CA of your own: SSL_CERT_FILE in the bridge's environment"
    renew = Change(MANAGER_GENERAL, text)
    return [await _look_at("PBX", settings.host, settings.port, ssl.create_default_context(), renew)]


def _judge_shown(shown: ShownCertificate, where: str) -> Finding:
    trouble = shown.distrust
    if not trouble and time.time() >= shown.ends_s:
        trouble = "certificate has expired"
    if not trouble and time.time() < shown.starts_s:
        trouble = "certificate is not yet valid"
    if trouble:
        sentence = f"Terminals will not accept the certificate that the {where} shows: {trouble}."
        return Finding(PROBLEM, _PART, sentence, _RENEW)
    return judge_dates(shown.fields, _for_names(shown.names))


def _compare_file(settings: BrokerSettings, shown: bytes) -> list[Finding]:
    """Report a broker that does not show the certificate of its file; nothing when the file is elsewhere."""
    path = settings.certificate_path
    if path is None or _read_first(path) in (None, shown):
        return []
    sentence = f"The broker shows another certificate than the one in {path}, which it has not loaded."
    fix = Change("command line", how_to_reload()) if settings.embedded else _RELOAD_MOSQUITTO
    return [Finding(WARNING, _PART, sentence, fix)]


def _read_first(path: Path) -> bytes | None:
    """Return the first certificate of a PEM file in DER form, None without one."""
    try:
        require_file(path)
        text = path.read_text(encoding="ascii", errors="replace")
        start, end = text.index(ssl.PEM_HEADER), text.index(ssl.PEM_FOOTER)
        return ssl.PEM_cert_to_DER_cert(text[start : end + len(ssl.PEM_FOOTER)])
    except (OSError, ValueError):
        return None


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
    days = _days_left(certificate)
    sentence = f"The {who}'s certificate is good for {days} more days; {otherwise}."
    if days < _SOON_DAYS:
        return Finding(WARNING, _PART, sentence, renew)
    return Finding(OK, _PART, sentence)


def _days_left(certificate: dict) -> int:
    return int((ssl.cert_time_to_seconds(certificate["notAfter"]) - time.time()) // _DAY_S)


def _for_names(names: list[str]) -> str:
    return f"it is for {name_some(names)}, so terminals must use such a name as mqtt_host"
