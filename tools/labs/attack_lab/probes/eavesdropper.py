"""Whoever listens on the network finds plain text only where the settings say so. Records nothing."""

import ssl

from phoneterm_bridge.broker.tls import make_terminal_context
from phoneterm_bridge.settings.bridge import load
from phoneterm_bridge.settings.problem import SetupProblem

from attack_lab.probe import Probe
from attack_lab.scenery.raw_client import RawClient
from attack_lab.site import Site

_PLAIN = (
    ("broker.host=0.0.0.0",), ("broker.host=192.0.2.1",), ("broker.embedded=false", "broker.host=broker.example"),
)  # fmt: skip


class Eavesdropper(Probe):
    """See `sentence`."""

    name = "eavesdropper"
    sentence = "plain text to other machines that the settings do not name, a plain login where the broker has TLS"

    async def run(self, site: Site) -> str | None:
        """Try to have something said in the clear."""
        for overrides in _PLAIN:
            try:
                load(None, overrides, {})
            except SetupProblem:
                continue
            return f"a bridge with {' '.join(overrides)} speaks in the clear"
        scene = await site.open(has_tls=True)
        port = scene.bridge.broker_port
        plain = await RawClient.open(port)
        code = await plain.log_in(scene.enrolment, "plain")
        plain.abort()
        if code is not None:
            return f"a plain login was answered with {code}"
        tls: ssl.SSLContext = make_terminal_context(scene.settings.broker)
        client = await RawClient.open(port, tls)
        code = await client.log_in(scene.enrolment, "encrypted")
        client.abort()
        return None if code == 0 else f"a login under TLS was answered with {code}"
