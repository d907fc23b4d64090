"""The TLS contexts of the embedded broker and of the bridge as a client, from PEM files. Does not listen or connect.

A file that cannot be used raises a SetupProblem that names it.
"""

import ssl
from pathlib import Path

from phoneterm_bridge.settings.broker import BrokerSettings
from phoneterm_bridge.settings.problem import SetupProblem


def make_server_context(certificate_path: Path, key_path: Path, client_ca_path: Path | None = None) -> ssl.SSLContext:
    """Return the context of a server with this certificate, which asks clients for one of `client_ca_path`, if any."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_own(context, "broker.", certificate_path, key_path)
    if client_ca_path is not None:
        _load_authority(context, "broker.client_ca_path", client_ca_path)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def make_client_context(settings: BrokerSettings) -> ssl.SSLContext | None:
    """Return the context of the bridge as a client of the settings' broker, None when that has no TLS."""
    if settings.ca_path is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks the certificate and the name in it
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_authority(context, "broker.ca_path", settings.ca_path)
    if settings.client_certificate_path and settings.client_key_path:
        _load_own(context, "broker.client_", settings.client_certificate_path, settings.client_key_path)
    return context


def _load_own(context: ssl.SSLContext, names: str, certificate_path: Path, key_path: Path) -> None:
    try:
        context.load_cert_chain(certificate_path, key_path)
    except ssl.SSLError:
        raise SetupProblem(
            f"The files {certificate_path} and {key_path} ({names}certificate_path and {names}key_path) are not a "
            "certificate and its key in PEM form."
        ) from None
    except OSError as error:
        raise SetupProblem(
            f"The certificate {certificate_path} or its key {key_path} cannot be read ({error.strerror}); see "
            f"{names}certificate_path and {names}key_path."
        ) from None


def _load_authority(context: ssl.SSLContext, name: str, path: Path) -> None:
    try:
        context.load_verify_locations(path)
    except ssl.SSLError:
        raise SetupProblem(f"The file {path} ({name}) is not a CA in PEM form.") from None
    except OSError as error:
        raise SetupProblem(f"The CA {path} cannot be read ({error.strerror}); see {name}.") from None
