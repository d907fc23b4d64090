"""Joins the bridge's parts with its pages: makes a server whose metrics are read from them. Imported only when enabled.

Does not start it. Figures are read all at once, and the text is made from them in pieces, so that a scrape of a large
site does not hold up a command. (A thread would: the loop would have to wait for Python's lock at each step of SQLite.)
"""

from phoneterm_bridge.pbx.port import WebHook
from phoneterm_bridge.settings.http import HttpSettings
from phoneterm_bridge.web.door import Door
from phoneterm_bridge.web.figures import Sources, read_figures
from phoneterm_bridge.web.metrics import render
from phoneterm_bridge.web.pages import make_app
from phoneterm_bridge.web.pbx_events import PbxEvents
from phoneterm_bridge.web.server import HttpServer


def make_pages(settings: HttpSettings, sources: Sources, web_hook: WebHook | None = None) -> HttpServer:
    """Return the server of the pages, which also takes the events that a PBX sends over the web, if it does."""

    async def scrape() -> bytes:
        figures, journal = read_figures(sources), sources.journal
        return await render(figures, list(journal.delays), journal.delay_sum_ms)

    app = make_app(sources.health.missing, sources.health.troubled, scrape)
    door = Door(app, settings)
    return HttpServer(settings, door if web_hook is None else PbxEvents(door, web_hook))
