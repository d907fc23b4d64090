"""Makes the TLS context for the broker connection from the settings.

Does not connect. With tls = ca the broker must show a certificate of exactly the CA in `tls_ca_path`, for the name
`tls_host`; the clock must be right for that. The terminal shows its own certificate if `tls_cert_path` and
`tls_key_path` name it. All three are files in DER form: mbedTLS on the device has no PEM. With tls = psk both sides
prove a shared key, and no clock is needed. A broker that shows a certificate instead is refused, because no CA is
trusted then. A setting that does not work comes back as settings.Problem. MicroPython's `ssl` wraps `tls` without
TLS-PSK.
"""

import tls

from phoneterm.device.settings import Problem


def make_context(settings):
    """Return the SSLContext for `settings`, None for tls = off, or Problem."""
    if settings.tls == "off":
        return None
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED
    key = "tls"
    try:
        if settings.tls == "psk":
            context.psk_identity = settings.tid
            context.psk_key = settings.tls_psk
            return context
        key = "tls_ca_path"
        context.load_verify_locations(_read(settings.tls_ca_path))
        if settings.tls_cert_path:
            key = "tls_cert_path"
            certificate = _read(settings.tls_cert_path)
            key = "tls_key_path"
            context.load_cert_chain(certificate, _read(settings.tls_key_path))
        return context
    except AttributeError:
        return Problem(key, "This interpreter has no TLS-PSK: use tls = ca.")
    except (ValueError, OSError) as error:
        return Problem(key, "The setting %s does not name a file in DER form: %s." % (key, error))


def _read(path):
    with open(path, "rb") as file:
        return file.read()
