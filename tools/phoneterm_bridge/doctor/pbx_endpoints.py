"""The terminals' phones at the PBX: does each endpoint of the store exist there, and is its phone registered.

Does not call anybody: it asks DEVICE_STATE, which knows PJSIP and the older SIP channels.
"""

from phoneterm_bridge.doctor.finding import OK, PROBLEM, UNKNOWN, WARNING, Change, Finding
from phoneterm_bridge.doctor.pbx_files import MODULES_FILE
from phoneterm_bridge.doctor.pbx_session import PbxSession
from phoneterm_bridge.doctor.store import Stored
from phoneterm_bridge.wording.names import name_some

_PART = "endpoints"
_TECHNOLOGIES = ("PJSIP", "SIP")
_NO_SUCH, _NOT_REGISTERED = "INVALID", "UNAVAILABLE"
_NOBODY = "no-such-endpoint-as-this"


async def examine_endpoints(session: PbxSession, stored: Stored) -> list[Finding]:
    """Check the endpoints of all terminals."""
    if await session.read(f"DEVICE_STATE(PJSIP/{_NOBODY})") != _NO_SUCH:
        fix = Change(MODULES_FILE, "load = func_devstate.so")
        return [
            Finding(UNKNOWN, _PART, "The PBX does not tell which phones it has (func_devstate is not loaded).", fix)
        ]
    extensions = {terminal.endpoint: terminal.extension for terminal in stored.terminals}
    endpoints = sorted(extensions)
    states = [
        await session.read_all([f"DEVICE_STATE({technology}/{endpoint})" for endpoint in endpoints])
        for technology in _TECHNOLOGIES
    ]
    known = {endpoint: set(told) - {_NO_SUCH} for endpoint, *told in zip(endpoints, *states, strict=True)}
    missing = [endpoint for endpoint in endpoints if not known[endpoint]]
    away = [endpoint for endpoint in endpoints if known[endpoint] == {_NOT_REGISTERED}]
    found = []
    if missing:
        sentence = f"The PBX has no endpoint {name_some(missing)}, so no call of these terminals is ever seen."
        fix = Change("command line", f"phoneterm user change {extensions[missing[0]]} --endpoint NAME-AT-THE-PBX")
        found.append(Finding(PROBLEM, _PART, sentence, fix))
    if away:
        fix = Change("at the phone", "is it switched on, and are its SIP settings right?")
        found.append(
            Finding(WARNING, _PART, f"These phones are not registered at the PBX now: {name_some(away)}.", fix)
        )
    return found or [Finding(OK, _PART, f"The PBX knows the phones of all terminals ({len(endpoints)}).")]
