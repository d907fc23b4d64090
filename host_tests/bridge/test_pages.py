"""The bridge's pages over real HTTP: their contents, their refusals, and that requests cannot harm them."""

import asyncio
import http.client
import json
import socket
import time

import pytest
from phoneterm.core import messages
from phoneterm_bridge.pbx.port import Outcome
from phoneterm_bridge.service import Bridge
from phoneterm_bridge.settings.bridge import load_settings
from phoneterm_bridge.settings.http import HttpSettings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.journal import Event
from phoneterm_bridge.web.figures import MOST_TERMINALS
from prometheus_client.parser import text_string_to_metric_families


@pytest.fixture
async def site(tmp_path, make):
    """A running bridge with the embedded broker and its pages on a free port."""
    site = with_pages(make.Scene(tmp_path, is_embedded=True))
    await site.start()
    await make.until(lambda: not site.bridge.parts.health.missing())
    yield site
    await site.stop()


@pytest.fixture
async def quiet_site(tmp_path, make):
    """Pages of a bridge without a broker, for tests that need none."""
    site = await with_pages(make.Scene(tmp_path)).start()
    yield site
    await site.stop()


def with_pages(scene):
    scene.settings = scene.settings.model_copy(update={"http": HttpSettings(enabled=True, port=0)})
    return scene


async def ask(site, path, method="GET", headers=None):
    """Return (status, headers, text) of one request."""

    def request():
        connection = http.client.HTTPConnection("127.0.0.1", site.bridge.http_port, timeout=10)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    return await asyncio.to_thread(request)


async def readiness(site):
    status, _, text = await ask(site, "/readyz")
    return status, json.loads(text)


async def figures(site):
    """Return name -> {labels: figure} of a scrape."""
    status, _, text = await ask(site, "/metrics")
    assert status == 200
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


async def test_a_bridge_with_broker_and_pbx_is_alive_and_ready(site):
    assert (await ask(site, "/healthz"))[::2] == (200, '{"status":"alive"}')
    assert await readiness(site) == (200, {"status": "ready", "missing": {}, "troubled": {}})


async def test_a_pbx_that_is_away_is_named_until_it_is_back(site):
    site.pbx.is_available = False
    site.pbx.listener.on_availability(False)
    status, said = await readiness(site)
    assert (status, said["status"], list(said["missing"])) == (503, "not ready", ["pbx"])
    assert said["missing"]["pbx"] == "The PBX is away: there is no connection to it."
    site.pbx.is_login_refused = True
    refused = "The PBX refuses the bridge's login: user name and secret must be the same there and here."
    assert (await readiness(site))[1]["missing"] == {"pbx": refused}
    assert (await ask(site, "/healthz"))[0] == 200
    site.pbx.is_available = True
    site.pbx.listener.on_availability(True)
    assert (await readiness(site))[0] == 200


async def test_a_broker_that_is_away_is_named(site, make):
    await site.bridge.parts.broker.stop()
    await make.until(lambda: not site.bridge.is_link_up)
    status, said = await readiness(site)
    assert (status, list(said["missing"])) == (503, ["broker"])


async def test_a_broker_that_is_connected_but_deaf_is_named(site, make):
    site.bridge.parts.pulse.takes = lambda topic, payload: False
    site.bridge.parts.pulse.on_link(True)
    status, said = await readiness(site)
    assert (status, list(said["missing"])) == (503, ["broker"])
    assert "is connected, but no message" in said["missing"]["broker"]


async def test_a_store_that_cannot_be_read_is_named(site):
    is_asked = asyncio.Event()

    async def never():
        is_asked.set()
        await asyncio.Event().wait()

    site.bridge.parts.directory.refresh = never
    await asyncio.wait_for(is_asked.wait(), 20)  # the refresh before has ended
    site.bridge.parts.health.now_s = lambda: time.monotonic() + 6
    assert list((await readiness(site))[1]["missing"]) == ["store"]


async def test_a_journal_that_cannot_be_written_is_named_until_it_can(site):
    terminal = await site.terminal()
    await terminal.hello()
    with site.engine.connect() as connection:
        full = "CREATE TRIGGER full BEFORE INSERT ON commands BEGIN SELECT RAISE(ABORT, 'no space left'); END"
        connection.exec_driver_sql(full)
        connection.commit()
    assert await terminal.ask() == ("rejected", "unavailable")
    status, said = await readiness(site)
    assert (status, said["missing"]) == (503, {"store": "The last command could not be journalled, so it was refused."})
    assert (await figures(site))["phoneterm_journal_failures_total"] == {(): 1}
    with site.engine.connect() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
        connection.commit()
    assert await terminal.ask() == ("accepted", None)
    assert (await readiness(site))[0] == 200


async def test_a_bridge_that_stops_says_so_while_it_finishes(site, make):
    terminal = await site.terminal()
    await terminal.hello()
    site.pbx.answering.clear()
    await terminal.send(messages.COMMAND, terminal.command())
    await make.until(lambda: site.pbx.asked)
    stopping = asyncio.create_task(site.bridge.stop())
    await asyncio.sleep(0)
    assert list((await readiness(site))[1]["missing"]) == ["bridge"]
    site.pbx.answering.set()
    await stopping


async def test_results_are_counted_by_operation_state_and_reason(site, make):
    terminal = await site.terminal()
    await terminal.hello()
    assert await terminal.ask("blind", "0301234567") == ("rejected", "destination")
    assert await terminal.ask("attended", "102") == ("accepted", None)
    site.pbx.listener.on_progress("c1", "done", None)
    site.pbx.change_calls("101", make.talking("c2"))
    site.pbx.outcome = Outcome("failed", "congestion")
    assert await terminal.ask("blind", "102", call="c2") == ("failed", "congestion")
    await terminal.send(messages.COMMAND, terminal.command(), key=b"another key")
    await make.until(lambda: ("none", "rejected", "bad-signature") in site.bridge.parts.journal.results)
    found = await figures(site)
    assert found["phoneterm_commands_total"] == {
        ("blind", "destination", "rejected"): 1, ("attended", "", "accepted"): 1, ("attended", "", "done"): 1,
        ("blind", "congestion", "failed"): 1, ("none", "bad-signature", "rejected"): 1,
    }  # fmt: skip
    assert found["phoneterm_command_to_pbx_seconds_count"] == {(): 2}
    assert found["phoneterm_command_to_pbx_seconds_bucket"][("+Inf",)] == 2
    assert found["phoneterm_messages_refused_total"] == {("bad-signature",): 1}


async def test_what_is_around_the_path_is_shown(site, make):
    terminal = await site.terminal()
    await terminal.hello()
    before = (await figures(site))["phoneterm_messages_said_total"][("permissions",)]
    await asyncio.to_thread(site.directory.set_multi_user_aware, "tech1", False)
    await make.until(lambda: not terminal.heard(messages.PERMISSIONS)[-1]["multi_user_aware"])
    site.pbx.listener.on_availability(False)
    found = await figures(site)
    assert found["phoneterm_messages_said_total"][("permissions",)] == before + 1
    assert found["phoneterm_terminals"] == {("enrolled",): 1, ("revoked",): 0, ("online",): 1}
    assert found["phoneterm_pbx_losses_total"] == {(): 1}
    assert found["phoneterm_broker_up"] == found["phoneterm_pbx_up"] == {(): 1}
    assert 0 < found["phoneterm_pulse_seconds"][()] < 60
    assert found["phoneterm_store_bytes"][()] > 0


async def test_what_terminals_say_of_themselves_is_shown_while_they_are_online(site, make):
    terminal = await site.terminal()
    await terminal.hello()
    fields = {"uptime_s": 60, "heap_free": 41232, "rssi": -61, "gap_p99_ms": 5, "restarts": 2}
    await terminal.send(messages.TELEMETRY, fields)
    await make.until(lambda: site.bridge.parts.telemetry.latest({terminal.tid}, 1)[0])
    found = await figures(site)
    tid = ("phone-101",)
    assert found["phoneterm_terminal_heap_free_bytes"] == {tid: 41232}
    assert found["phoneterm_terminal_scan_gap_p99_seconds"] == {tid: 0.005}
    assert found["phoneterm_terminal_rssi_dbm"] == {tid: -61}
    assert found["phoneterm_terminal_restarts_total"] == {tid: 2}
    await terminal.send(messages.STATE, {"boot": terminal.boot, "state": "offline"})
    await make.until(lambda: not site.bridge.parts.sessions.tids())
    assert "phoneterm_terminal_heap_free_bytes" not in await figures(site)


async def test_a_terminal_that_has_not_taken_what_it_was_sent_is_named_and_the_bridge_is_ready(site, make):
    terminal = await site.terminal()
    await terminal.hello()
    await terminal.send(messages.ACK, {"permissions": 0, "config": 0, "error": "the memory is too short to read it"})
    await terminal.send(messages.TELEMETRY, {"uptime_s": 60, "idf_least": 548, "memory_restarts": 1})
    await make.until(lambda: len(site.bridge.parts.health.troubled()) == 2)
    status, said = await readiness(site)
    assert (status, said["status"]) == (200, "ready")
    assert said["troubled"] == {
        "config": "The terminal phone-101 has not taken its configuration.",
        "memory": "The terminal phone-101 is short of memory.",
    }
    found = await figures(site)
    assert found["phoneterm_terminals_troubled"] == {
        ("permissions",): 0, ("config",): 1, ("memory",): 1, ("excess",): 0, ("twice",): 0
    }  # fmt: skip
    assert found["phoneterm_terminal_troubled"] == {("phone-101", "config"): 1, ("phone-101", "memory"): 1}
    assert found["phoneterm_terminal_idf_least_bytes"] == {("phone-101",): 548}
    assert found["phoneterm_terminal_memory_restarts_total"] == {("phone-101",): 1}


async def test_the_version_and_board_of_a_terminal_are_labels_of_one_figure(site, make):
    terminal = await site.terminal()
    await terminal.hello()
    sightings = site.bridge.parts.sightings
    await terminal.send(messages.REFUSAL, {"boot": "b001", "count": 3, "ago_s": 0, "reason": "permission"})
    await make.until(lambda: site.bridge.parts.journal.results)
    found = await figures(site)
    assert found["phoneterm_terminal_info"] == {("VIRTUAL", "1.0", "phone-101"): 1}
    assert found["phoneterm_terminal_online"] == {("phone-101",): 1}
    assert found["phoneterm_terminal_refusals_total"] == {("phone-101",): 3}
    assert found["phoneterm_commands_total"] == {("none", "permission", "refused"): 1}
    await terminal.send(messages.STATE, {"boot": "b001", "state": "offline"}, is_retained=True)
    await make.until(lambda: not sightings.find("phone-101").is_online)
    found = await figures(site)
    assert found["phoneterm_terminal_info"] == {("VIRTUAL", "1.0", "phone-101"): 1}
    assert found["phoneterm_terminal_online"] == {("phone-101",): 0}


async def test_only_so_many_troubled_terminals_are_labels(site):
    tids = [f"t{number:03}" for number in range(MOST_TERMINALS + 1)]
    for tid in tids:
        site.bridge.parts.troubles.begin(tid, "config", "x")
    found = await figures(site)
    assert found["phoneterm_terminals_troubled"][("config",)] == len(tids)
    assert list(found["phoneterm_terminal_troubled"]) == [(tid, "config") for tid in tids[:-1]]


async def test_no_number_that_was_dialled_is_in_the_metrics(site):
    terminal = await site.terminal()
    await terminal.hello()
    for number in ("0301234567", "103", "199"):
        await terminal.ask("blind", number)
    text = (await ask(site, "/metrics"))[2]
    labels = [line.partition("{")[2].partition("}")[0] for line in text.splitlines() if "{" in line]
    assert labels
    for number in ("0301234567", '"103"', '"199"'):
        assert not [label for label in labels if number in label]


async def test_only_so_many_terminals_have_figures_of_their_own(site):
    tids = [f"t{number:03}" for number in range(MOST_TERMINALS + 1)]
    for tid in tids:
        site.bridge.parts.telemetry.keep(tid, {"heap_free": 1})
        site.bridge.parts.sessions.mint(tid, "b", 0)
    found = await figures(site)
    assert list(found["phoneterm_terminal_heap_free_bytes"]) == [(tid,) for tid in tids[:-1]]
    assert found["phoneterm_terminals_left_out"] == {(): 1}


async def test_reasons_without_end_do_not_become_labels_without_end(site):
    terminal = await site.terminal()
    record = site.bridge.parts.directory.find(terminal.tid)
    journal = site.bridge.parts.journal
    for count in range(510):
        recorded = await journal.open(record, terminal.command(id=f"s.{count}"), [])
        journal.append(recorded, Event("result", "failed", f"r{count}"))
    assert len(journal.results) == 501
    assert journal.results["blind", "failed", "other"] == 10


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json"])
async def test_the_head_of_a_page_can_be_asked_for(quiet_site, path):
    status, headers, text = await ask(quiet_site, path, "HEAD")
    assert (status, text, headers["Cache-Control"]) == (503 if path == "/readyz" else 200, "", "no-store")


@pytest.mark.parametrize("path", ["/nowhere", "/", "*"])
async def test_nothing_but_reading_is_asked_of_any_address(quiet_site, path):
    for method in ("POST", "OPTIONS", "DELETE"):
        assert (await ask(quiet_site, path, method))[0] == 405


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json", "/nowhere"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "[::1%evil]", "", "[", "127.0.0.1.ev"]
)
async def test_a_web_page_elsewhere_that_has_its_name_lead_here_reads_nothing(quiet_site, path, host):
    status, _, text = await ask(quiet_site, path, headers={"Host": host})
    assert (status, json.loads(text)) == (
        421, {"detail": "These pages have another name; http.names in the settings adds one."}
    )  # fmt: skip


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8371", "127.0.0.1", "192.0.2.7:8371", "[::1]:8371", "[::1]"])
async def test_the_pages_are_there_under_the_names_of_this_machine_and_any_address(quiet_site, host):
    assert (await ask(quiet_site, "/healthz", headers={"Host": host}))[0] == 200


async def test_a_further_name_is_one_of_the_settings(tmp_path, make):
    site = with_pages(make.Scene(tmp_path))
    http = HttpSettings(enabled=True, port=0, names=("Bridge.example",))
    site.settings = site.settings.model_copy(update={"http": http})
    await site.start()
    assert (await ask(site, "/healthz", headers={"Host": "bridge.example:8371"}))[0] == 200
    assert (await ask(site, "/healthz", headers={"Host": "bridge.example.org"}))[0] == 421
    await site.stop()


@pytest.mark.parametrize("method", ["OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE", "NONSENSE"])
async def test_a_page_can_only_be_read(quiet_site, method):
    status, headers, text = await ask(quiet_site, "/readyz", method)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert json.loads(text) == {"detail": "This page can only be read, with GET or HEAD."}


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/metrics/x", "/..%2f..%2fetc/passwd", "/%00", "/%ff", "/" + "x" * 9000]
)
async def test_a_page_that_does_not_exist_is_a_clear_404(quiet_site, path):
    status, _, text = await ask(quiet_site, path)
    assert status == 404
    assert "There is no such page" in json.loads(text)["detail"]


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n\r\n", b"GET\r\n\r\n", b"\0\xff\xfe\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /healthz HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 600_000 + b"\r\n\r\n",
        b"GET /" + b"z" * 600_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nBad Header\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
    ],
)  # fmt: skip
async def test_what_is_no_request_is_refused_and_changes_nothing(quiet_site, capfd, sent):
    def exchange():
        with socket.create_connection(("127.0.0.1", quiet_site.bridge.http_port), timeout=10) as peer:
            try:
                peer.sendall(sent)
                peer.shutdown(socket.SHUT_WR)
                return peer.recv(100)
            except OSError:
                return b""

    answer = await asyncio.to_thread(exchange)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert (await ask(quiet_site, "/healthz"))[0] == 200
    assert "Traceback" not in capfd.readouterr().err


async def test_a_mistake_of_ours_is_a_500_without_a_traceback(site, capfd):
    site.bridge.parts.health.troubles = None
    status, _, text = await ask(site, "/readyz")
    assert (status, json.loads(text)["detail"]) == (500, "The page could not be made; the bridge's log says more.")
    said = capfd.readouterr()
    assert "page-failed" in said.out + said.err
    assert "Traceback" not in said.out + said.err


async def test_without_the_setting_there_are_no_pages_and_nothing_is_counted(scene):
    assert scene.bridge.http_port is None
    assert not hasattr(scene.bridge.parts.journal, "results")


async def test_a_taken_port_is_one_sentence(site, make, tmp_path):
    second = with_pages(make.Scene(tmp_path / "second"))
    taken = second.settings.http.model_copy(update={"port": site.bridge.http_port})
    settings = second.settings.model_copy(update={"http": taken})
    with pytest.raises(SetupProblem, match=r"cannot be served on port \d+ of 127\.0\.0\.1 .*--set http\.port=PORT"):
        await Bridge(settings, make.FakePbx(), make.MemoryLink()).start()
    second.engine.dispose()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "pbx.example"])
def test_other_machines_may_read_the_pages_only_if_the_settings_say_so(host):
    with pytest.raises(SetupProblem, match=r"open to other machines without a password.*http\.allow_remote = true"):
        load_settings(None, ("http.enabled=true", f"http.host={host}"))
    assert load_settings(None, (f"http.host={host}", "http.allow_remote=true")).http.host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_the_pages_may_be_on_this_machine(host):
    assert load_settings(None, (f"http.host={host}",)).http.host == host


async def test_requests_that_are_begun_and_never_sent_do_not_keep_others_from_the_pages(quiet_site):
    silent = [socket.create_connection(("127.0.0.1", quiet_site.bridge.http_port)) for _ in range(100)]
    try:
        for one in silent:
            one.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ")
        for _ in range(3):
            assert (await ask(quiet_site, "/healthz"))[0] == 200
    finally:
        for one in silent:
            one.close()
