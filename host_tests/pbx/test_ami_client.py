"""The AMI connection against a small server whose answers the test writes: deadlines, order, deafness, reconnect."""

import asyncio
import contextlib

import pytest
from device.authority import Authority, is_possible
from phoneterm_bridge.broker.tls import make_server_context
from phoneterm_bridge.pbx.ami.client import AmiClient
from phoneterm_bridge.pbx.ami.codec import Decoder, encode
from phoneterm_bridge.pbx.ami.connection import NotConnected, OutcomeUnknown
from phoneterm_bridge.pbx.ami.refused import AmiRefused
from phoneterm_bridge.pbx.ami.settings import AmiSettings
from structlog.testing import capture_logs

WAIT_S = 20


class WrittenServer:
    """Accepts every login and answers an action with `answers[name](action_id)`, or not at all."""

    def __init__(self):
        self.answers = {}
        self.actions = []
        self.logins = 0
        self.is_deaf = False
        self.is_refusing = False
        self._writers = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.settings = AmiSettings("127.0.0.1", self._server.sockets[0].getsockname()[1], "bridge", "secret")
        return self

    async def __aexit__(self, *_):
        self._server.close()
        self.cut()

    def cut(self):
        for writer in self._writers:
            writer.close()

    def say(self, data):
        for writer in self._writers:
            writer.write(data)

    async def _serve(self, reader, writer):
        self._writers.add(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        decoder = Decoder()
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                for action in decoder.feed(data):
                    self._answer(action, writer)
        self._writers.discard(writer)
        writer.close()

    def _answer(self, action, writer):
        name, action_id = action.get("Action"), action.get("ActionID")
        self.actions.append(name)
        self.logins += name == "Login"
        if name == "Login" and self.is_refusing:
            writer.write(encode([("Response", "Error"), ("ActionID", action_id)]))
        elif name in ("Challenge", "Login"):
            writer.write(encode([("Response", "Success"), ("ActionID", action_id), ("Challenge", "1")]))
        elif name == "Ping" and not self.is_deaf:
            writer.write(encode([("Response", "Success"), ("ActionID", action_id)]))
        elif name in self.answers:
            writer.write(self.answers[name](action_id))


class Ears:
    """A receiver that remembers."""

    def __init__(self):
        self.heard = []
        self.news = asyncio.Event()
        self.breaks_on = None

    async def on_connected(self):
        self._hear("connected")

    def on_disconnected(self):
        self._hear("disconnected")

    def on_event(self, event):
        self._hear(event.get("Event"))
        if event.get("Event") == self.breaks_on:
            raise KeyError(self.breaks_on)

    def _hear(self, word):
        self.heard.append(word)
        self.news.set()

    async def wait_for(self, heard):
        async with asyncio.timeout(WAIT_S):
            while self.heard != heard:
                self.news.clear()
                await self.news.wait()


@contextlib.asynccontextmanager
async def connected(ping_every_s=60.0):
    ears = Ears()
    async with WrittenServer() as server:
        client = AmiClient(server.settings, ears, ping_every_s)
        await client.start()
        try:
            yield server, client, ears
        finally:
            await client.stop()


async def test_answers_find_their_questions_in_any_order():
    async with connected() as (server, client, _):
        kept = []
        server.answers["First"] = lambda action_id: kept.append(action_id) or b""
        server.answers["Second"] = lambda action_id: b"".join(
            encode([("Response", "Success"), ("ActionID", number), ("Is", word)])
            for number, word in ((action_id, "second"), (kept[0], "first"))
        )
        first, second = await asyncio.gather(client.ask("First"), client.ask("Second"))
        assert (first.get("Is"), second.get("Is")) == ("first", "second")


async def test_a_list_is_gathered_and_other_events_are_told_in_between():
    async with connected() as (server, client, ears):
        server.answers["Show"] = lambda action_id: b"".join(
            encode(pairs)
            for pairs in (
                [("Response", "Success"), ("ActionID", action_id), ("EventList", "start")],
                [("Event", "Item"), ("ActionID", action_id), ("Name", "a")],
                [("Event", "Hangup")],
                [("Event", "Item"), ("ActionID", action_id), ("Name", "b")],
                [("Event", "ShowComplete"), ("ActionID", action_id), ("EventList", "Complete")],
            )
        )
        assert [item.get("Name") for item in await client.ask_list("Show")] == ["a", "b"]
        assert ears.heard == ["connected", "Hangup"]


async def test_a_list_that_is_refused_is_not_taken_for_an_empty_one():
    async with connected() as (server, client, _):
        server.answers["Show"] = lambda action_id: encode([("Response", "Error"), ("ActionID", action_id)])
        with pytest.raises(AmiRefused, match="Show"):
            await client.ask_list("Show")


async def test_no_answer_within_the_deadline_is_unknown_and_a_late_one_hurts_nobody():
    async with connected() as (server, client, ears):
        server.answers["Late"] = lambda action_id: b""
        with pytest.raises(OutcomeUnknown):
            await client.ask("Late", deadline_s=0.05)
        server.say(encode([("Response", "Success"), ("ActionID", "3")]) + encode([("Event", "Hangup")]))
        await ears.wait_for(["connected", "Hangup"])


async def test_a_cut_ends_what_is_in_flight_as_unknown_and_it_is_not_asked_again():
    async with connected() as (server, client, ears):
        server.answers["Transfer"] = lambda action_id: server.cut() or b""
        with pytest.raises(OutcomeUnknown):
            await client.ask("Transfer")
        await ears.wait_for(["connected", "disconnected", "connected"])
        assert server.actions.count("Transfer") == 1
        assert server.logins == 2


async def test_a_connection_that_is_up_but_deaf_is_given_up():
    async with connected(ping_every_s=0.02) as (server, _, ears):
        server.is_deaf = True
        await ears.wait_for(["connected", "disconnected"])
        server.is_deaf = False
        await ears.wait_for(["connected", "disconnected", "connected"])


async def test_a_listener_that_breaks_on_an_event_costs_the_connection_and_not_the_client():
    async with connected() as (server, _, ears):
        ears.breaks_on = "Bad"
        server.say(encode([("Event", "Bad")]))
        await ears.wait_for(["connected", "Bad", "disconnected", "connected"])


async def test_a_pbx_that_refuses_the_login_is_told_from_one_that_is_away():
    async with connected() as (server, client, ears):
        assert not client.is_login_refused
        server.is_refusing = True
        server.cut()
        await ears.wait_for(["connected", "disconnected"])
        assert not client.is_login_refused
        async with asyncio.timeout(WAIT_S):
            while not client.is_login_refused:  # noqa: ASYNC110 - nobody tells when
                await asyncio.sleep(0.005)


async def test_a_certificate_that_is_not_trusted_is_told_with_the_remedy(tmp_path):
    if not is_possible():
        pytest.skip("openssl is not on this machine: install the package openssl.")
    for option, content in Authority(tmp_path / "authority").make_server_files("localhost").items():
        (tmp_path / option).write_bytes(content)
    context = make_server_context(tmp_path / "certfile", tmp_path / "keyfile")
    server = await asyncio.start_server(lambda _, writer: writer.close(), "localhost", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    client = AmiClient(AmiSettings("localhost", port, "bridge", "secret", tls=True), Ears())
    with capture_logs() as logs:
        await client.start()
    await client.stop()
    server.close()
    (told,) = [line["reason"] for line in logs]
    assert told == client.trouble
    assert told.startswith(f"The PBX at localhost:{port} shows a certificate that is not accepted: unable to get ")
    assert told.endswith("and a CA of your own is named by SSL_CERT_FILE in the bridge's environment.")


async def test_a_pbx_that_is_not_there_is_told_in_words(unused_tcp_port):
    client = AmiClient(AmiSettings("127.0.0.1", unused_tcp_port, "bridge", "secret"), Ears())
    with capture_logs() as logs:
        await client.start()
    await client.stop()
    assert [line["reason"] for line in logs] == [
        f"The PBX at 127.0.0.1:{unused_tcp_port} cannot be reached: connection refused; it must run, and its "
        "manager.conf have enabled = yes and this port."
    ]
    assert client.trouble is None


async def test_nothing_is_sent_without_a_connection(unused_tcp_port):
    client = AmiClient(AmiSettings("127.0.0.1", unused_tcp_port, "bridge", "secret"), Ears())
    await client.start()
    with pytest.raises(NotConnected):
        await client.ask("Ping")
    assert not client.is_login_refused
    await client.stop()


async def test_an_injected_value_is_refused_before_anything_is_sent():
    async with connected() as (server, client, _):
        with pytest.raises(ValueError, match="line end"):
            await client.ask("Setvar", [("Value", "1\r\nAction: Hangup")])
        assert server.actions == ["Challenge", "Login"]


async def test_the_secret_is_neither_sent_nor_shown():
    async with connected() as (server, _, _ears):
        assert "secret" not in repr(server.settings)
        assert "Login" in server.actions
