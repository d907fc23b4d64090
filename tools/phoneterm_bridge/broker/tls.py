"""The TLS contexts of the embedded broker and of the bridge as a client, from PEM files. Does not listen or connect.

A file that cannot be used raises a SetupProblem that names it. So does a key with a pass phrase: nobody is asked.
"""

import ssl
from pathlib import Path

from phoneterm_bridge.settings.broker import BrokerSettings
from phoneterm_bridge.settings.file_path import require_file
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
    load_client_certificate(context, settings)
    return context


def make_terminal_context(settings: BrokerSettings) -> ssl.SSLContext:
    """Return the context of a client that trusts whom terminals trust, whatever name is in the broker's certificate.

    Without broker.ca_path that is the broker's certificate itself.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if settings.ca_path is not None:
        _load_authority(context, "broker.ca_path", settings.ca_path)
    elif settings.certificate_path is not None:
        _load_authority(context, "broker.certificate_path", settings.certificate_path)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def load_client_certificate(context: ssl.SSLContext, settings: BrokerSettings) -> None:
    """Let a client's context show the bridge's own certificate, if the settings name one."""
    if settings.client_certificate_path and settings.client_key_path:
        _load_own(context, "broker.client_", settings.client_certificate_path, settings.client_key_path)


def _load_own(context: ssl.SSLContext, names: str, certificate_path: Path, key_path: Path) -> None:
    asked = []

    def say_nothing() -> bytes:
        asked.append(key_path)
        return b""

    try:
        require_file(certificate_path)
        require_file(key_path)
        context.load_cert_chain(certificate_path, key_path, say_nothing)
    except ssl.SSLError:
        if asked:
            raise SetupProblem(
                f"The key {key_path} ({names}key_path) has a pass phrase, and nobody is there to type it: `openssl "
                f"pkey -in {key_path} -out NEW` writes it without one."
            ) from None
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
        require_file(path)
        context.load_verify_locations(path)
    except ssl.SSLError:
        what = "certificate" if name.endswith("certificate_path") else "CA"
        raise SetupProblem(f"The file {path} ({name}) is not a {what} in PEM form.") from None
    except OSError as error:
        raise SetupProblem(f"The CA {path} cannot be read ({error.strerror}); see {name}.") from None
