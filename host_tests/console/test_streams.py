"""The event streams: nothing is missed after a cut, an end where somebody is signed out, limits of their own."""

import asyncio
import contextlib
import json
import urllib.request

from attack_lab.scenery.waiting import until
from console.conftest import ConsoleScene
from phoneterm_bridge.console import cookies
from phoneterm_bridge.console.event_stream import MOST_STREAMS, EventStreams
from phoneterm_bridge.settings.http import HttpSettings


class Page:
    """A page's stream, as a browser reads it: events, each with its id."""

    def __init__(self, scene, who, topics, since="", last_id=None):
        self.scene, self.events, self.last_id, self.status = scene, [], last_id, None
        self._ask = (
            f"GET /events?topics={topics}&since={since} HTTP/1.1\r\nHost: localhost\r\nCookie: {who['Cookie']}\r\n"
        )
        self._ask += f"Last-Event-ID: {last_id}\r\n" if last_id else ""

    async def open(self):
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.scene.port)
        self._writer.write((self._ask + "\r\n").encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        self.status = int(head.split()[1])
        self._reading = asyncio.create_task(self._read())
        return self

    async def _read(self):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                line = (await self._reader.readline()).decode()
                if not line:
                    return
                if line.startswith("id: "):
                    self.last_id = line[4:].strip()
                elif line.startswith("data: "):
                    self.events.append(json.loads(line[6:]))

    @property
    def is_over(self):
        return self._reading.done()

    async def cut(self):
        self._writer.transport.abort()
        await self._reading


async def since_of(scene, who, path):
    text = (await scene.ask(path, headers={**who, "Accept": "text/html"}))[2]
    return text.partition('<meta name="since" content="')[2].partition('"')[0]


async def test_a_page_that_is_cut_off_misses_nothing(console):
    who = await console.sign_in("vera")
    page = await Page(console, who, "changes", await since_of(console, who, "/changes")).open()
    directory = console.directory
    await asyncio.to_thread(directory.add_user, "one")
    await until(lambda: len(page.events) == 1)
    await page.cut()
    for name in ("two", "three"):
        await asyncio.to_thread(directory.add_user, name)
    back = await Page(console, who, "changes", last_id=page.last_id).open()
    await asyncio.to_thread(directory.add_user, "four")
    await until(lambda: len(back.events) == 3)
    named = [name for event in back.events for name in ("two", "three", "four") if f">{name}<" in event["html"]]
    assert named == ["two", "three", "four"]
    await back.cut()


async def test_what_happens_between_a_page_and_its_stream_is_not_missed(console):
    who = await console.sign_in("vera")
    since = await since_of(console, who, "/changes")
    await asyncio.to_thread(console.directory.add_user, "early")
    page = await Page(console, who, "changes", since).open()
    await until(lambda: page.events)
    assert ">early<" in page.events[0]["html"]
    await page.cut()


async def test_who_has_been_away_for_too_long_loads_the_page_again(console):
    who = await console.sign_in("vera")
    run = (await since_of(console, who, "/changes")).partition("-")[0]
    for last_id in ("another-1", "x", "0", "-1", f"{run}-999", f"{run}-{'9' * 5000}"):
        page = await Page(console, who, "changes", last_id=last_id).open()
        await until(lambda page=page: page.events)
        assert page.events == [{"do": "reload"}]
        await page.cut()


async def test_a_stream_ends_with_the_account_that_reads_it(console):
    who = await console.sign_in("vera")
    page = await Page(console, who, "terminals").open()
    await asyncio.to_thread(console.accounts.remove_account, "vera")
    await until(lambda: page.is_over)
    assert (await Page(console, who, "terminals").open()).status == 401


async def test_with_every_stream_open_health_and_pages_answer(tmp_path):
    scene = ConsoleScene(tmp_path)
    scene.settings = scene.settings.model_copy(update={"http": HttpSettings(enabled=True, port=0)})
    await scene.start()
    who = await scene.sign_in("vera")
    pages = [await Page(scene, who, "terminals").open() for _ in range(MOST_STREAMS)]
    assert {page.status for page in pages} == {200}
    assert (await Page(scene, who, "terminals").open()).status == 503

    def look(path):
        with urllib.request.urlopen(f"http://127.0.0.1:{scene.bridge.http_port}{path}", timeout=20) as answer:
            return answer.status

    assert await asyncio.to_thread(look, "/healthz") == 200
    assert (await scene.ask("/terminals", headers=who))[0] == 200
    await pages[0].cut()
    await until(lambda: not scene.bridge.console.streams.is_full)
    assert (await Page(scene, who, "terminals").open()).status == 200
    await scene.stop()  # which ends all of them


async def test_a_stream_that_takes_nothing_is_ended_and_keeps_nothing():
    streams = EventStreams()
    reading = streams.read(["a"], streams.track(["a"]))
    await anext(reading)
    for number in range(3000):
        streams.say("a", {"do": "put", "id": str(number)})
    texts = [text async for text in reading]
    assert b"".join(texts).count(b"data: ") < 3000
    assert streams.count == 0


async def test_a_page_that_comes_back_to_a_topic_that_was_not_looked_at_meanwhile_loads_itself_again():
    streams = EventStreams(tracked_s=-1)
    since = streams.track(["a"])
    assert streams.topics() == ()  # nobody has come for it
    reading = streams.read(["a"], since)
    assert b'"reload"' in await anext(reading)
    await reading.aclose()


async def test_whoever_opens_a_great_many_pages_has_few_of_them_looked_at():
    streams = EventStreams()
    reading = streams.read(["watched"], streams.track(["watched"]))
    await anext(reading)
    since = [streams.track([f"user:{number}"]) for number in range(1000)]
    topics = streams.topics()
    assert (len(topics), "watched" in topics, "user:999" in topics) == (51, True, True)
    early = streams.read(["user:0"], since[0])
    assert b'"reload"' in await anext(early)
    await asyncio.gather(early.aclose(), reading.aclose())


async def test_streams_that_are_all_opened_at_once_are_no_more_than_there_may_be():
    streams = EventStreams(2)
    readings = [streams.read(["a"], streams.track(["a"])) for _ in range(5)]  # each was let in before any began
    for reading in readings:
        await anext(reading)
    assert streams.count == 2
    assert [await anext(reading, None) for reading in readings[2:]] == [None] * 3
    await asyncio.gather(*(reading.aclose() for reading in readings))


async def test_a_stream_ends_with_the_life_of_its_cookie(console, monkeypatch):
    who = await console.sign_in("vera")
    page = await Page(console, who, "terminals").open()
    monkeypatch.setattr(cookies, "LIFE_S", -1)
    console.bridge.console.streams.recheck()
    await until(lambda: page.is_over)


async def test_topics_that_nobody_watches_are_not_looked_at(console):
    assert console.bridge.console.streams.topics() == ()
