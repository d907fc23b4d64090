"""The page *Why did it not work?*: the journal as timelines with their sentence on top, and its export. Reads only."""

import csv
import io
import json
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from phoneterm_bridge.administration.why import answer_why
from phoneterm_bridge.console.site import Refused, Site
from phoneterm_bridge.console.stories import Story, read_stories
from phoneterm_bridge.console.visitors import Visitor
from phoneterm_bridge.console.watch import JOURNAL
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.journal_commands import Wanted, read_commands
from phoneterm_bridge.wording.outside import show
from phoneterm_bridge.wording.times import ms_of, read_moment, write_time
from phoneterm_bridge.wording.why import PHONE_REASONS, REASONS

_MOST, _MOST_EXPORTED = 60, 5000
_MOST_ENTRY = 2**63 - 1  # that SQLite has
_NO_STORY = "There is no such command in the journal."
_RESULTS = ("done", "failed", "rejected", "refused", "returned", "unknown")
_FILTERS = ("terminal", "extension", "number", "result", "since", "until")
_RISKY = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would calculate it


async def show_why(site: Site, request: Request, visitor: Visitor) -> Response:
    """Show the last commands, or those that are looked for; what comes then appears by itself."""
    asked = _read_filters(request)

    async def read() -> dict:
        try:
            stories = await site.run(_find, site, asked, _MOST)
            more = await site.run(_find_more, site, asked["extension"])
        except SetupProblem as error:
            return {"stories": [], "more": "", "problem": str(error)}
        return {"stories": stories, "more": more, "problem": ""}

    is_live = not asked["until"]
    return await site.render(
        request, visitor, "why.html", (JOURNAL,) if is_live else (), read, asked=asked, results=_RESULTS, most=_MOST,
        reasons=sorted({*REASONS, *PHONE_REASONS}), is_live=is_live, is_filtered=any(asked.values()),
        query=request.url.query,
    )  # fmt: skip


async def show_story(site: Site, request: Request, visitor: Visitor) -> Response:
    """Show one command by its entry, live."""
    entry = request.path_params["entry"]
    if entry > _MOST_ENTRY:
        raise Refused(404, _NO_STORY)

    async def read() -> dict:
        stories = await site.run(read_stories, site.sources.engine, [entry])
        if not stories:
            raise Refused(404, _NO_STORY)
        return {"story": stories[0]}

    return await site.render(request, visitor, "one_story.html", (JOURNAL,), read)


async def export(site: Site, request: Request, _visitor: Visitor) -> Response:
    """Give what is shown as CSV or JSON."""
    asked = _read_filters(request)
    stories = await site.run(_find, site, asked, _MOST_EXPORTED)
    if request.url.path.endswith(".json"):
        text = json.dumps([story._asdict() | {"steps": [step._asdict() for step in story.steps]} for story in stories])
        return Response(text, media_type="application/json", headers=_as_file("why.json"))
    return Response(write_csv(stories), media_type="text/csv; charset=utf-8", headers=_as_file("why.csv"))


def write_csv(stories: list[Story]) -> str:
    """Return stories as CSV, in which no cell is a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("time", "terminal", "extension", "user", "keyed", "number", "result", "reason", "sentence"))
    for one in stories:
        cells = (
            write_time(one.at_ms), one.tid, one.extension, one.user, one.asked, one.number, one.state, one.reason,
            one.sentence,
        )  # fmt: skip
        writer.writerow([_defuse(show(cell)) for cell in cells])
    return text.getvalue()


def _defuse(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_RISKY) else cell


def _as_file(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _read_filters(request: Request) -> dict[str, str]:
    return {name: request.query_params.get(name, "").strip()[:64] for name in _FILTERS}


def _find(site: Site, asked: dict[str, str], most: int) -> list[Story]:
    since_ms, until_ms = (_read_time(asked[name]) for name in ("since", "until"))
    wanted = Wanted(asked["terminal"] or None, asked["extension"] or None, since_ms, until_ms, asked["result"] or None)
    found = read_commands(site.sources.engine, wanted, most if not asked["number"] else _MOST_EXPORTED)
    entries = [one.entry for one in found if not asked["number"] or asked["number"] in (one.number or "")][:most]
    return read_stories(site.sources.engine, entries)


def _find_more(site: Site, extension: str) -> str:
    """Return what else there is to say of an extension: what its phones may have refused unheard, and their lines."""
    if not extension:
        return ""
    answer = answer_why(site.sources.engine, extension, None)
    return " ".join(sentence for sentence in (answer["not_known"], answer["line"]) if sentence)


def _read_time(text: str) -> int | None:
    return ms_of(read_moment(text.replace("T", " "), datetime.now())) if text else None
