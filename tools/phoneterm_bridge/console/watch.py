"""Looks seven times a second for what pages show and what has changed there, and says it on the event streams.

Only topics that somebody watches are looked at, and without any nothing is. A topic begins with what is there now
(`begin`), so that a page that is made afterwards misses nothing. Does not change anything.
"""

import asyncio

import jinja2
import structlog

from phoneterm_bridge.console.event_stream import EventStreams
from phoneterm_bridge.console.people import read_person
from phoneterm_bridge.console.row_pieces import RowPieces
from phoneterm_bridge.console.rows import Row, Rows
from phoneterm_bridge.console.sources import Sources
from phoneterm_bridge.console.stories import read_stories
from phoneterm_bridge.console.visitors import Visitors
from phoneterm_bridge.store.journal_reading import read_last_seq, read_news

EVERY_S = 0.15
TERMINALS, JOURNAL, CHANGES, STATUS, USER = "terminals", "journal", "changes", "status", "user:"
_MOST_NEWS = 200  # journal rows at once


class Watch:
    """The watch of one console; `look` looks once."""

    def __init__(
        self, sources: Sources, visitors: Visitors, streams: EventStreams, templates: jinja2.Environment,
        pieces: RowPieces,
    ) -> None:  # fmt: skip
        self._sources = sources
        self._visitors = visitors
        self._streams = streams
        self._rows = Rows(sources)  # its own: it remembers what was there
        self._templates = templates
        self._pieces = pieces
        self._shown: dict[str, Row] = {}
        self._said: dict[str, str] = {}  # what was said last of a topic that is one piece of a page
        self._seq: int | None = None
        self._is_begun: set[str] = set()
        self._lock = asyncio.Lock()

    async def begin(self, topics: tuple[str, ...]) -> str:
        """Track these topics from what is there now on; return the id with which a page's stream begins."""
        async with self._lock:
            for topic in topics:
                if topic not in self._is_begun:
                    await self._begin(topic)
                    self._is_begun.add(topic)
            return self._streams.track(topics)

    def say_again(self, topic: str) -> None:
        """Say a piece of a page at the next look even if it is as it was: an answer has shown something else since."""
        self._said.pop(topic, None)

    async def run(self) -> None:
        """Look for ever."""
        is_told = False
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.look()
                is_told = False
            except Exception as error:  # the next look must come all the same
                if not is_told:
                    structlog.get_logger().error("console-not-looked", error=type(error).__name__)
                is_told = True

    async def look(self) -> None:
        """Look once at every topic that somebody watches, and say what has changed."""
        async with self._lock:
            topics = self._streams.topics()
            self._is_begun &= set(topics)
            self._said = {topic: html for topic, html in self._said.items() if topic in self._is_begun}
            if not topics:
                return
            if await self._visitors.refresh():
                self._streams.recheck()
            for topic in topics:
                if topic not in self._is_begun:  # a stream came back to it
                    await self._begin(topic)
                    self._is_begun.add(topic)
            if TERMINALS in topics:
                await self._look_at_terminals()
            if JOURNAL in topics or CHANGES in topics:
                await self._look_at_journal()
            for topic in topics:
                if topic == STATUS or topic.startswith(USER):
                    await self._look_at_piece(topic)
            await self._streams.flush()

    async def _begin(self, topic: str) -> None:
        if topic == TERMINALS:
            self._rows.begin()
            self._shown = {row.tid: row for row in self._rows.all()}
        elif topic in (JOURNAL, CHANGES):
            if not self._is_begun & {JOURNAL, CHANGES}:
                self._seq = await asyncio.to_thread(read_last_seq, self._sources.engine)
        else:
            self._said[topic] = await self._piece_of(topic)

    async def _look_at_terminals(self) -> None:
        for tid in self._rows.find_changed():
            await asyncio.sleep(0)  # a command that has come goes first
            row = self._rows.find(tid)
            if row is not None and row != self._shown.get(tid):
                self._shown[tid] = row
                piece = {"id": f"t-{tid}", "in": "terminals", "html": str(self._pieces.make(row))}
                self._streams.say(TERMINALS, {"do": "put"} | piece)
        if len(self._shown) > self._rows.count:
            for tid in self._shown.keys() - set(self._rows.tids()):
                del self._shown[tid]
                self._pieces.forget(tid)
                self._streams.say(TERMINALS, {"do": "drop", "id": f"t-{tid}"})

    async def _look_at_journal(self) -> None:
        engine = self._sources.engine
        assert self._seq is not None
        seq, entries, changes = await asyncio.to_thread(read_news, engine, self._seq, _MOST_NEWS)
        if seq == self._seq:
            return
        self._seq = seq
        if entries:
            for story in reversed(await asyncio.to_thread(read_stories, engine, entries)):
                html = self._render("story.html", story=story, is_open=False)
                self._streams.say(JOURNAL, {"do": "put", "id": f"s-{story.entry}", "in": "stories", "html": html})
        for row_seq, change in changes:
            html = self._render("change_row.html", seq=row_seq, change=change)
            self._streams.say(CHANGES, {"do": "put", "id": f"c-{row_seq}", "in": "changes", "html": html})

    async def _look_at_piece(self, topic: str) -> None:
        html = await self._piece_of(topic)
        if html != self._said.get(topic):
            self._said[topic] = html
            piece = STATUS if topic == STATUS else "person"
            self._streams.say(topic, {"do": "put", "id": piece, "html": html})

    async def _piece_of(self, topic: str) -> str:
        if topic == STATUS:
            return self._render("status.html", missing=self._sources.health.missing())
        person = await read_person(self._sources, self._rows, topic.removeprefix(USER))
        return self._render("person.html", person=person)

    def _render(self, name: str, **values: object) -> str:
        return self._templates.get_template(name).render(**values)
