"""Makes the PBX backend that the settings name. A backend is imported only when it is needed.

Another PBX is one class (`pbx.port.Pbx`), one line in the table here, and its name at `pbx.kind`.
"""

from collections.abc import Callable

from phoneterm_bridge.pbx.port import Pbx
from phoneterm_bridge.settings.bridge import BridgeSettings


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

    return VoipNowPbx(settings.voipnow)


_BACKENDS: dict[str, Callable[[BridgeSettings], Pbx]] = {"asterisk": _make_asterisk, "voipnow": _make_voipnow}
