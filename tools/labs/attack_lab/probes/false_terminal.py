"""Somebody who knows a terminal's password, where the broker asks for a certificate too. Has one of another CA."""

import ssl

from phoneterm_bridge.broker.site_tls import BROKER, BROKER_KEY, SiteTls
from phoneterm_bridge.broker.tls import make_terminal_context
from phoneterm_bridge.store.records import Enrolment

from attack_lab.probe import Probe
from attack_lab.scenery.crowd import NAME
from attack_lab.scenery.raw_client import RawClient
from attack_lab.site import EMBEDDED, Site


class FalseTerminal(Probe):
    """See `sentence`."""

    name = "false terminal"
    sentence = "the right password without a certificate, and with one of another CA, where the broker asks for one"
    brokers = (EMBEDDED,)  # a mosquitto needs one for the bridge too: `test_tls_firmware` makes it

    async def run(self, site: Site) -> str | None:
        """Log in without the right certificate."""
        scene = await site.open(has_tls=True, asks_clients=True)
        other = SiteTls(site.new_folder())
        other.make("another site", [NAME], 1)
        for what in ("without a certificate", "with one of another CA"):
            context = make_terminal_context(scene.settings.broker)
            if what.startswith("with one"):
                context.load_cert_chain(other.path(BROKER), other.path(BROKER_KEY))
            if await _log_in(scene.bridge.broker_port, context, scene.enrolment) == 0:
                return f"a login {what} was let in"
        return None


async def _log_in(port: int, context: ssl.SSLContext, enrolment: Enrolment) -> int | None:
    try:
        client = await RawClient.open(port, context)
    except OSError:
        return None
    code = await client.log_in(enrolment, "false")
    client.abort()
    return code
