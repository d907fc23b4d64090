"""The key that a terminal and a mosquitto share for TLS-PSK. Does not write it anywhere.

It is derived from the terminal's signing key, so the store keeps no further secret. The derivation is one-way: with
mosquitto's file of keys nobody can sign or learn a signing key.
"""

import hashlib
import hmac

_PURPOSE = b"phoneterm tls-psk v1"


def derive_psk(signing_key: bytes) -> str:
    """Return the shared key as 64 hex digits, as terminals and mosquitto need it."""
    return hmac.new(signing_key, _PURPOSE, hashlib.sha256).hexdigest()
