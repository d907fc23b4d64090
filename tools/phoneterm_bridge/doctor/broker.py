"""The broker: is it there, does it refuse strangers and wrong passwords, do its rules hold. Changes nothing there.

Our mosquitto configuration lets every user be connected only once, so a second login as the bridge would disconnect the
working bridge. The bridge's own login is tried only when the caller says that no bridge runs.
"""

import asyncio
import secrets

from phoneterm_bridge.broker.shown_certificate import where_to_look
from phoneterm_bridge.doctor import certificate
from phoneterm_bridge.doctor.broker_client import LIMITS, BrokerClient, NotReached, Refused
from phoneterm_bridge.doctor.broker_rules import hears_a_bridge, try_rules
from phoneterm_bridge.doctor.finding import OK, PROBLEM, UNKNOWN, Change, Finding
from phoneterm_bridge.doctor.login import ProbeLogin
from phoneterm_bridge.mqtt.packets import Will
from phoneterm_bridge.settings.bridge import BrokerSettings

_PART = "broker"
_CONNECT_S = 3
_STOP_IT = Change("command line", "stop the bridge, then phoneterm doctor --bridge-is-down")
_ANONYMOUS = Change("mosquitto.conf", "allow_anonymous false")


async def examine_broker(
    settings: BrokerSettings, probe: ProbeLogin | None = None, is_bridge_down: bool = False
) -> list[Finding]:
    """Check the broker of the settings, whichever it is."""
    where = f"{settings.host}:{settings.port}"
    is_running = not settings.embedded or await _is_listening(settings)
    if not settings.embedded:
        found = await certificate.examine_server(settings)
    else:
        found = await certificate.examine_shown(settings) if is_running else certificate.examine_files(settings)
    found += certificate.examine_authority(settings)
    if any(finding.verdict == PROBLEM for finding in found):
        return [*found, Finding(UNKNOWN, _PART, f"The broker {where} was not tried, because of its certificate.")]
    if not is_running:
        sentence = f"The bridge does not run, and its embedded broker can have {where} when it does."
        return [*found, Finding(OK, _PART, sentence)]
    if settings.embedded and settings.client_ca_path and not settings.client_certificate_path:
        sentence = f"Logins at the broker {where} were not tried, because it asks everybody for a certificate."
        return [*found, Finding(UNKNOWN, _PART, sentence)]
    try:
        found += await _examine_logins(settings, where)
        if settings.embedded and probe is None:
            sentence = "The embedded broker's rules are part of the bridge, and no setting changes them."
            return [*found, Finding(OK, _PART, sentence)]
        found += await _examine_will(settings, where)
        return found + await _examine_rules(settings, probe, is_bridge_down)
    except NotReached as error:
        fix = Change("settings, section [broker]", "host and port; or start the broker")
        if error.limit and not settings.embedded:
            fix = Change("mosquitto.conf", error.limit)
        return [*found, Finding(PROBLEM, _PART, f"The broker {where} cannot be used: {error}.", fix)]


async def _is_listening(settings: BrokerSettings) -> bool:
    try:
        async with asyncio.timeout(_CONNECT_S):
            _, writer = await asyncio.open_connection(where_to_look(settings), settings.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def _examine_logins(settings: BrokerSettings, where: str) -> list[Finding]:
    """A stranger and a wrong password must be refused."""
    stranger = BrokerClient(settings, None)
    found = []
    if await _gets_in(stranger):
        found.append(Finding(PROBLEM, _PART, f"The broker {where} lets strangers in, without any login.", _ANONYMOUS))
        found += await try_rules(stranger, settings.base, None, None)
        await stranger.close()
    else:
        found.append(Finding(OK, _PART, f"The broker {where} answers, and refuses clients without a login."))
        wrong = BrokerClient(settings, settings.username, secrets.token_urlsafe(24))
        if await _gets_in(wrong):
            await wrong.close()
            sentence = f"The broker {where} lets {settings.username} in with any password."
            fix = Change("mosquitto.conf", "password_file ...   # as `phoneterm broker config` writes it")
            found.append(Finding(PROBLEM, _PART, sentence, fix))
    return found


async def _examine_will(settings: BrokerSettings, where: str) -> list[Finding]:
    """A broker that does not take a retained will with QoS 1 hangs up, before it looks at the login.

    It was refused, or a stranger is let in and leaves in order: the will is never published.
    """
    if settings.embedded:
        return []
    stranger = BrokerClient(settings, None, will=Will(f"{settings.base}/doctor", b"-"))
    try:
        if await _gets_in(stranger):
            await stranger.close()
    except NotReached:
        sentence = f"The broker {where} hangs up on every login with a last will as bridge and terminals have it."
        return [Finding(PROBLEM, _PART, sentence, Change("mosquitto.conf", LIMITS))]
    return []


async def _examine_rules(settings: BrokerSettings, probe: ProbeLogin | None, is_bridge_down: bool) -> list[Finding]:
    found: list[Finding] = []
    terminal = await _log_in_as_terminal(settings, probe, found)
    witness = None
    try:
        if not settings.embedded:
            if is_bridge_down and terminal is not None and await hears_a_bridge(terminal, settings.base):
                sentence = "The broker says that a bridge is there, so --bridge-is-down was ignored."
                found.append(Finding(UNKNOWN, _PART, sentence, _STOP_IT))
            else:
                witness = await _log_in_as_bridge(settings, is_bridge_down, found)
        if terminal is not None and probe is not None:
            found += await try_rules(terminal, settings.base, probe.tid, witness)
    finally:
        for client in (terminal, witness):
            if client is not None:
                await client.close()
    return found


async def _log_in_as_terminal(
    settings: BrokerSettings, probe: ProbeLogin | None, found: list[Finding]
) -> BrokerClient | None:
    if probe is None:
        sentence = "What a terminal may do at the broker was not tried, because no terminal's login was given."
        text = "phoneterm terminal add ... --output probe.json, then phoneterm doctor --as-terminal probe.json"
        found.append(Finding(UNKNOWN, "broker rules", sentence, Change("command line", text)))
        return None
    client = BrokerClient(settings, probe.tid, probe.password)
    if await _gets_in(client):
        return client
    fix = Change("command line", "phoneterm broker config ..., then systemctl reload mosquitto")
    found.append(Finding(PROBLEM, _PART, f"The broker refuses the login of the terminal {probe.tid}.", fix))
    return None


async def _log_in_as_bridge(
    settings: BrokerSettings, is_bridge_down: bool, found: list[Finding]
) -> BrokerClient | None:
    if not is_bridge_down:
        sentence = (
            "The bridge's own login was not tried, because a second one would disconnect a working bridge; whether it "
            "works shows in the bridge's log (broker-there)."
        )
        found.append(Finding(UNKNOWN, _PART, sentence, _STOP_IT))
        return None
    client = BrokerClient(settings, settings.username, settings.password.get_secret_value())
    if await _gets_in(client):
        found.append(Finding(OK, _PART, f"The broker lets the bridge in as {settings.username}."))
        return client
    fix = Change("command line", "phoneterm broker config ..., then systemctl reload mosquitto; or broker.password")
    found.append(Finding(PROBLEM, _PART, f"The broker refuses the bridge's login {settings.username}.", fix))
    return None


async def _gets_in(client: BrokerClient) -> bool:
    try:
        await client.open()
    except Refused:
        return False
    return True
