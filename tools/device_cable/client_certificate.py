"""A terminal's own certificate and its key: reads a pair from PEM or DER files, for a board that reads only DER.

Does not make or keep them, and never shows the key. Python's TLS tries the pair. It only reads files, so the pair lies
in a private temporary file for that moment. A file that cannot be used raises a SetupProblem that names it.
"""

import base64
import binascii
import re
import ssl
import stat
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from phoneterm_bridge.broker.handshake import shake_hands
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.wording.trouble import describe_trouble

_PEM_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
_KEY_LABELS = ("PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY")  # PKCS#8, SEC 1, PKCS#1: one DER form each
_PEM_KEY = re.compile(r"-----BEGIN ((?:EC |RSA )?PRIVATE KEY)-----(.+?)-----END \1-----", re.DOTALL)

# The key does not match, is of another type, or of a type for which OpenSSL then has no certificate.
_NO_PAIR = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")


@dataclass(frozen=True)
class ClientCertificate:
    """A certificate and its key, both in DER form; `label`: the PEM name of the key's form."""

    certificate: bytes
    key: bytes = field(repr=False)
    label: str
    path: Path

    def check_authority(self, ca_path: Path) -> None:
        """Refuse a certificate that a broker with this CA for its clients (PEM) would not accept today."""
        try:
            server = _load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), self)
            server.load_verify_locations(ca_path)
        except (OSError, ssl.SSLError):
            raise SetupProblem(f"The file {ca_path} (broker.client_ca_path) is not a CA in PEM form.") from None
        server.verify_mode = ssl.CERT_REQUIRED
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE  # only the server judges here, in memory
        try:
            shake_hands(_load(client, self), server)
        except ssl.SSLError as error:
            raise SetupProblem(
                f"The broker would not accept the certificate {self.path}: {describe_trouble(error)}; have one made by "
                f"the CA {ca_path} (broker.client_ca_path)."
            ) from None


def read_client_certificate(certificate: Path | None, key: Path | None) -> ClientCertificate | None:
    """Return the pair in two files, None when none is named; SetupProblem when they do not belong together."""
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise SetupProblem(
            "A certificate and its key only work together: name both, CERT= (--certificate) and KEY= (--key)."
        )
    shown = _read_certificate(certificate)
    for label, content in _read_keys(key):
        pair = ClientCertificate(shown, content, label, certificate)
        try:
            _load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), pair)
        except ssl.SSLError as error:
            if error.reason in _NO_PAIR:
                raise SetupProblem(f"The key {key} does not belong to the certificate {certificate}.") from None
            continue
        return pair
    raise SetupProblem(f"The file {key} is not a private key in PEM or DER form without a password (`openssl pkey`).")


def _load(context: ssl.SSLContext, pair: ClientCertificate) -> ssl.SSLContext:
    with tempfile.NamedTemporaryFile("w", prefix="phoneterm-") as file:  # 0600, gone at the end
        text = base64.encodebytes(pair.key).decode()
        file.write(f"-----BEGIN {pair.label}-----\n{text}-----END {pair.label}-----\n")
        file.write(ssl.DER_cert_to_PEM_cert(pair.certificate))
        file.flush()
        context.load_cert_chain(file.name, password=lambda: b"")  # so that nobody is asked
    return context


def _read_certificate(path: Path) -> bytes:
    content = _read(path)
    found = _PEM_CERTIFICATE.findall(content.decode("ascii", errors="replace"))
    try:
        if len(found) > 1:
            raise ValueError("a chain, of which a terminal shows one certificate only")
        der = _decode(found[0]) if found else content
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=der)
    except (ValueError, ssl.SSLError):
        raise SetupProblem(f"The file {path} is not one certificate in PEM or DER form.") from None
    return der


def _read_keys(path: Path) -> list[tuple[str, bytes]]:
    """Return the possible readings of the key: label and DER form."""
    content = _read(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SetupProblem(f"The file {path} can be read by others: chmod 600 {path}.")
    found = _PEM_KEY.search(content.decode("ascii", errors="replace"))
    if found is None:
        return [(label, content) for label in _KEY_LABELS]
    try:
        return [(found[1], _decode(found[2]))]
    except ValueError:
        return []


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SetupProblem(f"The file {path} cannot be read: {error.strerror}.") from None
