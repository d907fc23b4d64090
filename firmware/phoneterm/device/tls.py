"""Makes the TLS context for the broker connection from the settings.

Does not connect. With tls = ca the broker must show a certificate of exactly the CA in `tls_ca_path` (DER; mbedTLS on
the device has no PEM), for the name `tls_host`; the clock must be right for that. With tls = psk both sides prove a
shared key and no clock is needed. What cannot be set up comes back as settings.Problem.
"""

import ssl

from phoneterm.device.settings import Problem


def make_context(settings):
    """Return the SSLContext for `settings`, None for tls = off, or Problem."""
    if settings.tls == "off":
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if settings.tls == "psk":
        if not hasattr(context, "psk_key"):
            return Problem("tls", "This interpreter has no TLS-PSK: use tls = ca.")
        context.psk_identity = settings.tid
        context.psk_key = settings.tls_psk
        return context
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        with open(settings.tls_ca_path, "rb") as file:
            context.load_verify_locations(cadata=file.read())
    except (ValueError, OSError):
        return Problem("tls_ca_path", "The setting tls_ca_path does not name a CA certificate in DER form.")
    return context
