"""The PBX: can it be reached, does it accept the bridge's login; then the findings of the other files.

Does not change anything at the PBX: it only asks, and never acts on a call.
"""

import time

from phoneterm_bridge.doctor.certificate import examine_manager
from phoneterm_bridge.doctor.clock import compare_clocks
from phoneterm_bridge.doctor.finding import OK, PROBLEM, UNKNOWN, Change, Finding
from phoneterm_bridge.doctor.pbx_dial_options import examine_dial_options
from phoneterm_bridge.doctor.pbx_dialplan import examine_dialplan
from phoneterm_bridge.doctor.pbx_endpoints import examine_endpoints
from phoneterm_bridge.doctor.pbx_features import examine_features
from phoneterm_bridge.doctor.pbx_files import MANAGER_FILE
from phoneterm_bridge.doctor.pbx_rights import examine_rights
from phoneterm_bridge.doctor.pbx_session import PbxSession, open_session
from phoneterm_bridge.doctor.store import Stored
from phoneterm_bridge.pbx.ami import refused
from phoneterm_bridge.pbx.ami.connection import NotConnected, OutcomeUnknown, ShuttingDown
from phoneterm_bridge.pbx.ami.refused import AmiRefused
from phoneterm_bridge.pbx.ami.settings import AmiSettings
from phoneterm_bridge.pbx.port import PbxRejectedLogin
from phoneterm_bridge.settings.bridge import BridgeSettings, PbxSettings
from phoneterm_bridge.wording.trouble import describe_trouble

_PART = "pbx"
_AT_FREEPBX = " (FreePBX: Connectivity, Firewall, port 5038)"


async def examine_pbx(settings: BridgeSettings, stored: Stored, has_heard_calls: bool = False) -> list[Finding]:
    """Check all that the bridge's own login can see; has_heard_calls: the bridge received events of calls lately."""
    where = f"{settings.pbx.kind} at {settings.pbx.host}:{settings.pbx.port}"
    found = await examine_manager(settings.pbx)
    if any(finding.verdict == PROBLEM for finding in found):
        return found
    try:
        async with open_session(_login_of(settings.pbx)) as session:
            found.append(Finding(OK, _PART, f"The PBX {where} lets the bridge in."))
            return found + await _examine_inside(session, settings, stored, has_heard_calls)
    except PbxRejectedLogin as error:
        text = f"[{settings.pbx.username}] secret = ...   and permit = the address of this machine"
        return [*found, Finding(PROBLEM, _PART, str(error), Change(MANAGER_FILE, text))]
    except ShuttingDown:
        sentence = f"The PBX {where} is shutting down, or waits for its last call to restart, and refuses all else."
        fix = Change("the PBX", "wait until it has restarted, or take it back: asterisk -rx 'core abort shutdown'")
        return [*found, Finding(PROBLEM, _PART, sentence, fix)]
    except AmiRefused as error:
        if refused.kind_of(error.answer) == refused.IN_USE:
            sentence = (
                f"The PBX {where} lets nobody in twice as {settings.pbx.username}, and somebody is logged in, most "
                "likely the bridge; so nothing of the PBX could be checked."
            )
            text = f"[{settings.pbx.username}] allowmultiplelogin = yes   # or stop the bridge meanwhile"
            return [*found, Finding(UNKNOWN, _PART, sentence, Change(MANAGER_FILE, text))]
        sentence = f"The PBX {where} lets the bridge in, but not further: {error}."
        fix = Change(MANAGER_FILE, f"[{settings.pbx.username}] read = call   and write = call,reporting")
        return [*found, Finding(PROBLEM, _PART, sentence, fix)]
    except (OSError, TimeoutError, NotConnected, OutcomeUnknown) as error:
        fix = Change(
            "manager.conf, section [general]",
            f"enabled = yes, and bindaddr{_AT_FREEPBX}; or pbx.host and pbx.port here",
        )
        return [*found, Finding(PROBLEM, _PART, f"The PBX {where} cannot be reached: {describe_trouble(error)}.", fix)]


async def _examine_inside(
    session: PbxSession, settings: BridgeSettings, stored: Stored, has_heard_calls: bool
) -> list[Finding]:
    login = _login_of(settings.pbx)
    rights = await examine_rights(session, login, has_heard_calls)
    found = [*rights, *await _examine_clocks(session)]
    if any(finding.verdict == PROBLEM for finding in rights):
        return [*found, Finding(UNKNOWN, _PART, "The rest of the PBX cannot be checked with these classes.")]
    return [
        *found,
        *await examine_features(session),
        *await examine_endpoints(session, stored),
        *await examine_dialplan(session, settings.phones, stored),
        *await examine_dial_options(session, stored),
    ]


async def _examine_clocks(session: PbxSession) -> list[Finding]:
    before_s = time.time()
    stamp = (await session.ask("Ping")).get("Timestamp")
    here_s = (before_s + time.time()) / 2
    return [compare_clocks(here_s, float(stamp))] if stamp.replace(".", "", 1).isdecimal() else []


def _login_of(settings: PbxSettings) -> AmiSettings:
    login = (settings.username, settings.secret.get_secret_value())
    return AmiSettings(settings.host, settings.port, *login, tls=settings.tls)
