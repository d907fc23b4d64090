"""Makes the PBX backend that the settings name. A backend is imported only when it is needed.

Another PBX is one class (`pbx.port.Pbx`), one line in the table here, and its name at `pbx.kind`.
"""

from collections.abc import Callable

from phoneterm_bridge.pbx.permissions import PermissionSource
from phoneterm_bridge.pbx.port import Pbx
from phoneterm_bridge.settings.bridge import BridgeSettings
from phoneterm_bridge.settings.problem import SetupProblem


def make_pbx(settings: BridgeSettings) -> Pbx:
    """Return the backend of `pbx.kind`; it is not started yet. SetupProblem when a setting names an unusable file."""
    return _BACKENDS[settings.pbx.kind](settings)


def _make_asterisk(settings: BridgeSettings) -> Pbx:
    from phoneterm_bridge.pbx.ami.settings import AmiSettings
    from phoneterm_bridge.pbx.asterisk.adapter import AsteriskPbx

    pbx = settings.pbx
    login = (pbx.username, pbx.secret.get_secret_value())
    return AsteriskPbx(AmiSettings(pbx.host, pbx.port, *login, tls=pbx.tls))


def _make_voipnow(settings: BridgeSettings) -> Pbx:
    from phoneterm_bridge.pbx.voipnow.backend import VoipNowPbx

    path = settings.store.path
    return VoipNowPbx(settings.voipnow, kept=path.with_name(f"{path.name}.voipnow-events"))


_BACKENDS: dict[str, Callable[[BridgeSettings], Pbx]] = {"asterisk": _make_asterisk, "voipnow": _make_voipnow}


def make_permission_source(settings: BridgeSettings) -> PermissionSource | None:
    """Return what tells who is multi user aware, if the PBX does; None where this bridge's store alone says it."""
    return make_asked_source(settings) if is_told_permissions(settings) else None


def is_told_permissions(settings: BridgeSettings) -> bool:
    """Say whether the PBX tells who is multi user aware."""
    return settings.pbx.kind == "voipnow" and settings.voipnow.permissions == "voipnow"


def make_asked_source(settings: BridgeSettings) -> PermissionSource:
    """Return what can be asked for users, whoever says who is multi user aware; SetupProblem without such a PBX."""
    if settings.pbx.kind != "voipnow":
        raise SetupProblem('The settings name no VoipNow: set pbx.kind = "voipnow", and the section [voipnow].')
    from phoneterm_bridge.pbx.voipnow.voipnow_permissions import VoipNowPermissions

    path = settings.store.path
    return VoipNowPermissions(settings.voipnow, path.with_name(f"{path.name}.voipnow-wsdl"))
