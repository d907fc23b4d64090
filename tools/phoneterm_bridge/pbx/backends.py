"""Makes the PBX backend that the settings name. A backend is imported only when it is needed.

A second PBX is one module with one class (`pbx.port.Pbx`), one line in the table here, and its name at `pbx.kind`.
"""

from collections.abc import Callable

from phoneterm_bridge.pbx.port import Pbx
from phoneterm_bridge.settings.bridge import PbxSettings


def make_pbx(settings: PbxSettings) -> Pbx:
    """Return the backend of `pbx.kind`; it is not started yet."""
    return _BACKENDS[settings.kind](settings)


def _make_asterisk(settings: PbxSettings) -> Pbx:
    from phoneterm_bridge.pbx.ami.settings import AmiSettings
    from phoneterm_bridge.pbx.asterisk.adapter import AsteriskPbx

    login = (settings.username, settings.secret.get_secret_value())
    return AsteriskPbx(AmiSettings(settings.host, settings.port, *login, tls=settings.tls))


_BACKENDS: dict[str, Callable[[PbxSettings], Pbx]] = {"asterisk": _make_asterisk}
