"""Why a connection failed, in a few words for the middle of a sentence. Does not decide what that means."""

import os
import ssl


def describe_trouble(error: Exception) -> str:
    """Return the words for an exception of a connection or a TLS handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message.lower()
    if isinstance(error, ssl.SSLError):
        return (error.reason or "it ended").lower().replace("_", " ")
    if isinstance(error, OSError) and (error.errno or 0) > 0:  # errors of the name resolver have their own texts
        return os.strerror(error.errno or 0).lower()
    return ((isinstance(error, OSError) and error.strerror) or "it does not answer as it should").lower()
