"""The TLS context of the embedded broker, from certificate and key. Does not listen or connect."""

import ssl
from pathlib import Path

from phoneterm_bridge.problem import SetupProblem


def make_server_context(certificate_path: Path, key_path: Path) -> ssl.SSLContext:
    """Return the context of a server with this certificate (PEM); SetupProblem when it cannot be used."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate_path, key_path)
    except ssl.SSLError:
        raise SetupProblem(
            f"The files {certificate_path} and {key_path} (broker.certificate_path and broker.key_path) are not a "
            "certificate and its key in PEM form."
        ) from None
    except OSError as error:
        raise SetupProblem(
            f"The broker's certificate or key cannot be read ({error.strerror}); see broker.certificate_path and "
            "broker.key_path."
        ) from None
    return context
