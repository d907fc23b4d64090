"""A running bridge takes over a renewed certificate on SIGHUP, keeps the old one if the new one is no good, and lives.

What counts is what its listener shows. Beside it: what health, metrics and doctor say of that.
"""

import asyncio
import os
import ssl
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from signal import SIGHUP, SIGTERM

import pytest
from attack_lab.scenery.fresh_store import open_store_with_terminal
from attack_lab.scenery.waiting import until
from bridge.running_bridge import RunningBridge
from cryptography.hazmat.primitives import serialization
from doctor.reading import change_of, problems, verdicts
from phoneterm_bridge.broker.authority import CA_DAYS
from phoneterm_bridge.broker.connect_packet import Connect, build_connect
from phoneterm_bridge.broker.shown_certificate import read_shown
from phoneterm_bridge.broker.site_tls import BROKER, BROKER_KEY, CA, SiteTls
from phoneterm_bridge.broker.tls import make_terminal_context
from phoneterm_bridge.doctor.broker import examine_broker
from phoneterm_bridge.doctor.finding import OK, PROBLEM, UNKNOWN, WARNING
from phoneterm_bridge.health.certificate_watch import CertificateWatch
from phoneterm_bridge.settings.bridge import BrokerSettings
from phoneterm_bridge.wording.service import how_to_reload

PING, PONG = b"\xc0\x00", b"\xd0\x00"
CONNACK = b"\x20\x02\x00\x00"


class Site:
    """A store with one terminal, a CA, and settings for an embedded broker that listens everywhere."""

    def __init__(self, folder):
        engine, self.terminal = open_store_with_terminal(folder / "bridge.db")
        engine.dispose()
        self.store_path = folder / "bridge.db"
        self.tls = SiteTls(folder / "tls")
        self.tls.make("site", ["broker.example"], 700)

    def texts(self):
        """Return the bridge's settings for --set."""
        return (
            f"store.path={self.store_path}", "broker.host=0.0.0.0", *(f"broker.{key}={path}" for key, path in
            self.paths().items()), "http.enabled=true", "http.port=0",
        )  # fmt: skip

    def paths(self):
        return {
            "ca_path": self.tls.path(CA),
            "certificate_path": self.tls.path(BROKER),
            "key_path": self.tls.path(BROKER_KEY),
        }

    def settings(self, port):
        return BrokerSettings(host="0.0.0.0", port=port, **self.paths())

    def renew_for(self, days, now=None):
        """Renew the files as they would have been at another time."""
        site = SiteTls(self.tls.folder, lambda: now or datetime.now(UTC))
        site.renew([], days)


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


async def run_bridge(bridge):
    """Wait until it runs, and return the ports of broker and pages."""
    fields = await bridge.event("bridge-runs")
    return fields["broker_port"], fields["http_port"]


async def connect(site, port):
    """Return reader and writer of a logged-in terminal."""
    context = make_terminal_context(site.settings(port))
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    terminal = site.terminal
    packet = bytearray(build_connect(Connect("c", terminal.tid, "", 60, None, b"", 0, False)))
    packet[9] |= 0x40  # build_connect leaves the password out
    packet += len(terminal.mqtt_password).to_bytes(2, "big") + terminal.mqtt_password.encode()
    packet[1] = len(packet) - 2
    writer.write(bytes(packet))
    assert await asyncio.wait_for(reader.readexactly(4), 20) == CONNACK
    return reader, writer


async def fetch(port, page):
    return await asyncio.to_thread(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}{page}").read().decode())


async def metric(port):
    """Return when the certificate ends according to /metrics."""
    name = "phoneterm_broker_certificate_expires_timestamp_seconds "
    found = [line for line in (await fetch(port, "/metrics")).splitlines() if line.startswith(name)]
    return float(found[0].split()[1]) if found else None


async def until_metric(port, ends_s):
    async with asyncio.timeout(20):
        while True:
            if await metric(port) == ends_s:
                return
            await asyncio.sleep(0.01)


async def test_a_renewed_certificate_is_shown_after_sighup_and_nobody_is_disconnected(site):
    async with RunningBridge(*site.texts()) as bridge:
        port, pages = await run_bridge(bridge)
        reader, writer = await connect(site, port)
        before = await read_shown(site.settings(port), port)
        site.renew_for(600)
        assert (await read_shown(site.settings(port), port)).der == before.der
        bridge.signal(SIGHUP)
        await bridge.event("certificate-renewed")
        shown = await read_shown(site.settings(port), port)
        assert (shown.der != before.der, shown.distrust, "broker.example" in shown.names) == (True, "", True)
        writer.write(PING)
        assert await asyncio.wait_for(reader.readexactly(2), 20) == PONG
        _, later = await connect(site, port)
        await until_metric(pages, shown.ends_s)
        writer.close()
        later.close()
        bridge.signal(SIGTERM)
        assert await bridge.exit_code() == 0


@pytest.mark.parametrize(
    "fault",
    [
        "half written",
        "another key",
        "pass phrase",
        "expired",
        "another CA",
        "gone",
        "a pipe",
        "a pipe as key",
        "a folder",
    ],
)
async def test_a_new_pair_that_is_no_good_leaves_the_old_one_and_is_one_sentence(site, tmp_path, fault):
    async with RunningBridge(*site.texts()) as bridge:
        port, _ = await run_bridge(bridge)
        before = await read_shown(site.settings(port), port)
        spoil(site, tmp_path, fault)
        bridge.signal(SIGHUP)
        why = (await bridge.event("certificate-not-renewed"))["why"]
        assert why.endswith("The broker goes on with the one that it has.") and "\n" not in why
        assert (await read_shown(site.settings(port), port)).der == before.der
        _, writer = await connect(site, port)
        writer.close()
        bridge.signal(SIGTERM)
        assert await bridge.exit_code() == 0


def spoil(site, tmp_path, fault):
    certificate, key = site.tls.path(BROKER), site.tls.path(BROKER_KEY)
    if fault == "half written":
        certificate.write_bytes(certificate.read_bytes()[:200])
    elif fault == "another key":
        SiteTls(tmp_path / "other").make("x", ["x.example"], 9)
        key.write_bytes((tmp_path / "other" / BROKER_KEY).read_bytes())
    elif fault == "pass phrase":
        plain = serialization.load_pem_private_key(key.read_bytes(), None)
        locked = serialization.BestAvailableEncryption(b"words")
        form = serialization.PrivateFormat.PKCS8
        key.write_bytes(plain.private_bytes(serialization.Encoding.PEM, form, locked))
    elif fault == "expired":
        site.renew_for(10, datetime.now(UTC) - timedelta(days=11))
    elif fault == "another CA":
        SiteTls(tmp_path / "other").make("x", ["x.example"], 9)
        for path in (certificate, key):
            path.write_bytes((tmp_path / "other" / path.name).read_bytes())
    else:
        changed = key if fault == "a pipe as key" else certificate
        changed.unlink()
        if "pipe" in fault:
            os.mkfifo(changed, 0o600)  # into which nobody ever writes
        elif fault == "a folder":
            changed.mkdir()


async def test_sighup_to_a_bridge_without_tls_changes_nothing(site):
    async with RunningBridge(f"store.path={site.store_path}") as bridge:
        await bridge.event("bridge-runs")
        bridge.signal(SIGHUP)
        await bridge.event("nothing-to-reload")
        bridge.signal(SIGTERM)
        assert await bridge.exit_code() == 0


async def test_the_doctor_has_nothing_against_a_broker_that_listens_everywhere_with_a_certificate_for_a_name(site):
    async with RunningBridge(*site.texts()) as bridge:
        port, _ = await run_bridge(bridge)
        found = await examine_broker(site.settings(port))
    assert problems(found) == []
    assert verdicts(found, "it is for broker.example, so terminals must use such a name") == [OK]
    assert verdicts(found, "answers, and refuses clients without a login") == [OK]


async def test_the_doctor_needs_no_ca_for_the_embedded_broker(site):
    async with RunningBridge(*(text for text in site.texts() if "ca_path" not in text)) as bridge:
        port, _ = await run_bridge(bridge)
        found = await examine_broker(site.settings(port).model_copy(update={"ca_path": None}))
    assert problems(found) == []


async def test_the_doctor_judges_what_is_shown_and_names_a_file_that_the_broker_has_not_loaded(site):
    site.renew_for(10, datetime.now(UTC) - timedelta(days=11))
    async with RunningBridge(*site.texts()) as bridge:
        port, _ = await run_bridge(bridge)
        site.renew_for(600)
        found = await examine_broker(site.settings(port))
        assert verdicts(found, "will not accept the certificate that the broker") == [PROBLEM]
        assert verdicts(found, "shows another certificate than the one in") == [WARNING]
        assert change_of(found, "shows another") == f"command line: {how_to_reload()}"
        bridge.signal(SIGHUP)
        await bridge.event("certificate-renewed")
        assert problems(await examine_broker(site.settings(port))) == []


async def test_the_doctor_says_two_years_before_that_the_ca_ends(site, tmp_path):
    assert verdicts(await examine_broker(site.settings(9)), "which every board has") == []
    old = SiteTls(tmp_path / "old", lambda: datetime.now(UTC) - timedelta(days=CA_DAYS - 700))
    old.make("site", ["broker.example"], 700)
    paths = {"ca_path": old.path(CA), "certificate_path": old.path(BROKER), "key_path": old.path(BROKER_KEY)}
    found = await examine_broker(site.settings(9).model_copy(update=paths))
    assert verdicts(found, "which every board has, is good for 699 more days") == [WARNING]


async def test_where_everybody_needs_a_certificate_the_doctor_sees_the_brokers_and_tries_no_login(site, tmp_path):
    clients = f"broker.client_ca_path={site.tls.path(CA)}"
    async with RunningBridge(*site.texts(), clients) as bridge:
        port, _ = await run_bridge(bridge)
        settings = site.settings(port).model_copy(update={"client_ca_path": site.tls.path(CA)})
        found = await examine_broker(settings)
    assert problems(found) == []
    assert verdicts(found, "good for") == [OK]
    assert verdicts(found, "it asks everybody for a certificate") == [UNKNOWN]


async def look(site, days, now_s):
    """Return a watch that has looked at a broker whose certificate is good for so long."""
    site.renew_for(days)
    async with RunningBridge(*site.texts()) as bridge:
        port, _ = await run_bridge(bridge)
        watch = CertificateWatch(site.settings(port), lambda: port, now_s)
        watching = asyncio.create_task(watch.run())
        await until(lambda: watch.shown is not None)
        watching.cancel()
        await asyncio.wait([watching])
    return watch


@pytest.mark.parametrize(
    ("days_later", "failing", "ending"),
    [
        (0, None, None),
        (579, None, "ends in 20 days"),
        (601, "ended on", None),
        (-3, "begins only on", None),
    ],
)
async def test_health_says_when_the_shown_certificate_ends_soon_has_ended_or_has_not_begun(
    site, days_later, failing, ending
):
    watch = await look(site, 600, lambda: time.time() + days_later * 86400)
    for found, words in ((watch.failing(), failing), (watch.ending(), ending)):
        assert found is None if words is None else words in found


async def test_a_bridge_whose_certificate_has_ended_is_not_ready_and_one_whose_ends_soon_says_so(site):
    site.renew_for(5)
    async with RunningBridge(*site.texts()) as bridge:
        _, pages = await run_bridge(bridge)
        await bridge.event("certificate-in-trouble")
        assert '"certificate":"The broker\'s certificate ends in 4 days' in await read_readiness(pages)
        site.renew_for(600)
        bridge.signal(SIGHUP)
        await bridge.event("certificate-out-of-trouble")
        assert '"certificate"' not in await read_readiness(pages)
    site.renew_for(10, datetime.now(UTC) - timedelta(days=11))
    async with RunningBridge(*site.texts()) as bridge:
        _, pages = await run_bridge(bridge)
        await bridge.event("certificate-in-trouble")
        assert "ended on" in (await read_readiness(pages)).partition('"troubled"')[0]


async def read_readiness(port):
    try:
        return await fetch(port, "/readyz")
    except urllib.error.HTTPError as error:
        return error.read().decode()


async def test_a_certificate_of_another_ca_is_distrusted_but_its_dates_are_read(site, tmp_path):
    other = SiteTls(tmp_path / "other")
    other.make("x", ["x.example"], 9)
    async with RunningBridge(*site.texts()) as bridge:
        port, _ = await run_bridge(bridge)
        settings = site.settings(port).model_copy(update={"ca_path": other.path(CA)})
        shown = await read_shown(settings, port)
    assert shown.distrust and shown.ends_s == site.tls.read(BROKER).not_valid_after_utc.timestamp()
    assert shown.der == ssl.PEM_cert_to_DER_cert(site.tls.path(BROKER).read_text())
