"""A site's own certificate authority: makes its CA, and certificates of the broker signed by it. Writes no files.

Keys are P-256: small enough for a chip's handshake, and every TLS has it. A certificate begins a day early, because a
terminal's clock may be behind. It never outlives its CA. Names are DNS names or IP addresses; a terminal compares
letters, so wildcards are not made. Files that are no certificate or key raise a SetupProblem.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from phoneterm_bridge.settings.problem import SetupProblem

CA_DAYS = 7305  # 20 years: every board must be visited when it ends
BROKER_DAYS = 730
_EARLY = timedelta(days=1)
_MOST_NAME_CHARS = 253
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9.]+")
_MOST_COMMON_NAME_CHARS = 64
_EVERYBODY = ipaddress.IPv4Address("255.255.255.255")


@dataclass(frozen=True)
class Issued:
    """A certificate and its private key, both in PEM form."""

    certificate: bytes
    key: bytes = field(repr=False)


def check_names(names: list[str]) -> list[str]:
    """Return the names and addresses as a certificate has them, each once; SetupProblem for what cannot be one."""
    found = [_check_name(name.strip()) for name in names if name.strip()]
    if not found:
        raise SetupProblem("Name at least one name or address by which terminals find the broker.")
    return list(dict.fromkeys(found))


def make_ca(site: str, now: datetime, days: int = CA_DAYS) -> Issued:
    """Make a CA for a site."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"phoneterm CA of {site}")
    builder = _begin(name, name, key.public_key(), now, now + timedelta(days=days))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
    return _pack(builder.sign(key, hashes.SHA256()), key)


def sign_broker(ca: Issued, names: list[str], now: datetime, days: int = BROKER_DAYS) -> Issued:
    """Make a broker's certificate, with a new key, for these names; SetupProblem when this CA cannot sign one."""
    authority, ca_key = read_certificate(ca.certificate), _read_key(ca.key)
    if authority.public_key() != ca_key.public_key():  # boards, which have the CA, would accept no certificate by it
        raise SetupProblem("The CA's key does not belong to the CA's certificate: bring back the key made with it.")
    ends = authority.not_valid_after_utc
    if now >= ends:
        raise SetupProblem(f"The CA ended on {ends:%-d %B %Y} and can sign nothing more: make a new one.")
    key = ec.generate_private_key(ec.SECP256R1())
    until = min(now + timedelta(days=days), ends)
    builder = _begin(_name(names[0]), authority.subject, key.public_key(), now, until)
    alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    for extension, is_critical in (
        (alternatives, False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage("digital_signature"), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (issuer, False),
    ):
        builder = builder.add_extension(extension, critical=is_critical)
    return _pack(builder.sign(ca_key, hashes.SHA256()), key)


def read_certificate(content: bytes) -> x509.Certificate:
    """Return the certificate in a PEM file, the first if there are several."""
    try:
        return x509.load_pem_x509_certificate(content)
    except ValueError:
        raise SetupProblem("It is not a certificate in PEM form.") from None


def names_of(certificate: x509.Certificate) -> list[str]:
    """Return the names and addresses that a certificate is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))]


def is_signed_by(certificate: x509.Certificate, ca: x509.Certificate) -> bool:
    """Say whether a CA has signed a certificate."""
    try:
        certificate.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _check_name(name: str) -> str:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        pass
    else:
        is_of_one_link = getattr(address, "scope_id", None) is not None  # no certificate has the link
        if address.is_unspecified or address.is_multicast or address == _EVERYBODY or is_of_one_link:
            raise SetupProblem(f"The address {name} is not one at which a terminal can reach the broker.")
        return str(address)
    plain = name.lower().removesuffix(".")
    is_name = len(plain) <= _MOST_NAME_CHARS and all(_LABEL.fullmatch(label) for label in plain.split("."))
    if not is_name or _NUMBER.fullmatch(plain):
        raise SetupProblem(
            f"{name[:80]!r} is neither a DNS name nor an IP address; those have no port, no protocol and no blank."
        )
    return plain


def _begin(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    identifier = x509.SubjectKeyIdentifier.from_public_key(public_key)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - _EARLY).not_valid_after(until)
    return builder.add_extension(identifier, critical=False)


def _usage(*allowed: str) -> x509.KeyUsage:
    every = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: name in allowed for name in every})


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:_MOST_COMMON_NAME_CHARS])])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _read_key(content: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(content, None)
    except TypeError:
        raise SetupProblem("The CA's key has a pass phrase: `openssl pkey` writes it without one.") from None
    except ValueError:
        raise SetupProblem("The CA's key is not one in PEM form.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SetupProblem("The CA's key was not made by `phoneterm tls init`.")
    return key


def _pack(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Issued:
    form, encoding = serialization.PrivateFormat.PKCS8, serialization.Encoding.PEM
    return Issued(certificate.public_bytes(encoding), key.private_bytes(encoding, form, serialization.NoEncryption()))
