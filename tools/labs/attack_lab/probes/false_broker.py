"""A broker that is not the site's, with a certificate of another CA, for another name, or out of date. Is asked by the
bridge; `test_tls_firmware` and `test_mqtt_tls` have the terminals ask."""

import asyncio
from pathlib import Path

from phoneterm.core import messages
from phoneterm_bridge.assembly import address_of, will_of
from phoneterm_bridge.broker.site_tls import BROKER, BROKER_KEY, CA, SiteTls
from phoneterm_bridge.broker.tls import make_server_context
from phoneterm_bridge.mqtt.connection import MqttConnection, NotConnected
from phoneterm_bridge.settings.bridge import BrokerSettings
from pydantic import SecretStr

from attack_lab.probe import WITHOUT_BROKER, Probe
from attack_lab.scenery.crowd import NAME
from attack_lab.scenery.false_certificates import make_false, make_own
from attack_lab.site import Site


class FalseBroker(Probe):
    """See `sentence`."""

    name = "false broker"
    sentence = "a certificate of another CA, for another name, out of date: the bridge must not log in"
    brokers = WITHOUT_BROKER

    async def run(self, site: Site) -> str | None:
        """Be each of them, and see whether the bridge says its password."""
        own = make_own(site)
        for what, shown, ca_path in make_false(site, own):
            if heard := await _ask(shown, ca_path):
                return f"to a broker with a certificate {what} the bridge said {heard[:12]!r}..."
        return None if await _ask(own, own.path(CA)) else "to the right broker the bridge said nothing"


async def _ask(shown: SiteTls, ca_path: Path) -> bytes:
    """Have the bridge connect to a broker that shows this certificate, and return what it says there."""
    heard = b""

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        heard += await reader.read(1000)
        writer.close()

    context = make_server_context(shown.path(BROKER), shown.path(BROKER_KEY))
    server = await asyncio.start_server(hear, "127.0.0.1", 0, ssl=context)
    settings = BrokerSettings(
        embedded=False, host=NAME, port=server.sockets[0].getsockname()[1], ca_path=ca_path,
        password=SecretStr("of the bridge"),
    )  # fmt: skip
    connection = MqttConnection(address_of(settings), messages.bridge_filter("x"), will_of("x"), _ignore)
    try:
        await connection.open()
    except NotConnected:
        pass
    finally:
        await connection.close()
        server.close()
    return heard


async def _ignore(*_: object) -> None:
    pass
