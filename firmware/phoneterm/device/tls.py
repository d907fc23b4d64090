"""Makes the TLS context for the broker connection from the settings.

Does not connect. With tls = ca the broker must show a certificate of exactly the CA in `tls_ca_path` (DER; mbedTLS on
the device has no PEM), for the name `tls_host`; the clock must be right for that, and `name_cause` says so when it is
not. With tls = psk both sides prove a shared key and no clock is needed.
"""

import ssl

_FIRST_SANE_YEAR = 2025  # a chip without a clock starts in 2000 or 1970


class TlsUnusable(Exception):
    """TLS cannot be set up; the sentence names the setting."""


def make_context(settings):
    """Return the SSLContext for `settings`, or None for tls = off; raise TlsUnusable with a sentence."""
    if settings.tls == "off":
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if settings.tls == "psk":
        return _use_key(context, settings)
    try:
        with open(settings.tls_ca_path, "rb") as file:
            authority = file.read()
    except OSError:
        raise TlsUnusable("The CA file named by the setting tls_ca_path cannot be read.")
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_verify_locations(cadata=authority)
    except (ValueError, OSError):
        raise TlsUnusable("The CA file named by the setting tls_ca_path is not a certificate in DER form.")
    return context


def _use_key(context, settings):
    if not hasattr(context, "psk_key"):
        raise TlsUnusable("This interpreter has no TLS-PSK: use tls = ca.")
    context.psk_identity = settings.tid
    context.psk_key = settings.tls_psk
    return context


def name_cause(detail, year):
    """Return why TLS failed in people's words; a certificate is only as good as the clock that checks its dates."""
    if "X509" in detail or "CERT" in detail:
        if year < _FIRST_SANE_YEAR:
            return "the clock is wrong (year %d), so the broker's certificate cannot be checked" % year
        return "the broker's certificate is not the expected one (%s)" % detail
    return detail
