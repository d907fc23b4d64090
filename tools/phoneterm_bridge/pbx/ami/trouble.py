"""Why there is no AMI login, in one sentence with the remedy. Does not try anything."""

import os
import ssl

from phoneterm_bridge.pbx.ami import refused
from phoneterm_bridge.pbx.ami.connection import ShuttingDown
from phoneterm_bridge.pbx.ami.refused import AmiRefused
from phoneterm_bridge.pbx.ami.settings import AmiSettings


def describe_away(error: Exception, settings: AmiSettings) -> str:
    """Return the sentence about an error that a connection to the PBX has ended with, or could not begin with."""
    where, who = f"The PBX at {settings.host}:{settings.port}", settings.username
    if isinstance(error, AmiRefused):
        return f"{where} refuses {error.action} ({error.answer.get('Message')}){_describe_remedy(error, who)}."
    if isinstance(error, ShuttingDown):
        return f"{where} is not to be used now: {error}."
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"{where} shows a certificate that is not accepted: {error.verify_message.lower()}; tlscertfile in its "
            "manager.conf must be for the name in pbx.host, and a CA of your own is named by SSL_CERT_FILE in the "
            "bridge's environment."
        )
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "it ended").lower().replace("_", " ")
        return f"{where} does not speak TLS as it should: {reason}; pbx.port must be that of its tlsbindaddr."
    number = error.errno if isinstance(error, OSError) else None  # those of the name resolver have texts of their own
    words = os.strerror(number) if number and number > 0 else str(error) or "it does not answer"
    hint = "it must run, and its manager.conf have enabled = yes and this port"
    return f"{where} cannot be reached: {words.lower()}; {hint}."


def _describe_remedy(error: AmiRefused, who: str) -> str:
    kind = refused.kind_of(error.answer)
    if kind == refused.IN_USE:
        return (
            f": somebody is logged in as {who}, and allowmultiplelogin = no in manager.conf, section [general], lets "
            "nobody in twice; remove that line, or give everybody a user name of their own"
        )
    if kind == refused.NO_RIGHT:
        return f": manager.conf must have read = call and write = call,reporting in section [{who}]"
    return ""
