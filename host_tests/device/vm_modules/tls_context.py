"""Makes a TLS context from settings: micropython tls_context.py SETTINGS HAS_PSK.

Does not judge: prints a JSON list of the Problem's fields, or of whether there is a context.
The settings are a JSON object of texts; `tls_psk` is in hex. Without HAS_PSK ("") the interpreter has no TLS-PSK.
"""

import json
import sys


class ContextWithoutPsk:
    """The context of an interpreter without TLS-PSK."""

    def __setattr__(self, name, value):
        if name[:4] == "psk_":
            raise AttributeError(name)


class TlsWithoutPsk:
    """The module `tls` of such an interpreter."""

    PROTOCOL_TLS_CLIENT = CERT_REQUIRED = 0

    @staticmethod
    def SSLContext(protocol):  # noqa: N802 - the module's own name
        return ContextWithoutPsk()


def make(texts):
    """Return the Problem's fields, or whether there is a context."""
    from phoneterm.device import settings, tls  # only after `tls` has been replaced

    texts = dict.fromkeys(settings.KEYS, "") | texts
    texts["tls_psk"] = bytes.fromhex(texts["tls_psk"])
    made = tls.make_context(settings.Settings(**texts))
    return list(made) if isinstance(made, settings.Problem) else [made is not None]


if not sys.argv[2]:
    sys.modules["tls"] = TlsWithoutPsk
print(json.dumps(make(json.loads(sys.argv[1]))))
