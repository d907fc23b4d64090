"""The event stream of a page. Says nothing itself: the watch does."""

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from phoneterm_bridge.console.site import Refused, Site
from phoneterm_bridge.console.visitors import Visitor
from phoneterm_bridge.console.watch import CHANGES, JOURNAL, STATUS, TERMINALS, USER

_TOPICS = (TERMINALS, JOURNAL, CHANGES, STATUS)
_MOST_TOPICS = 8


async def stream(site: Site, request: Request, visitor: Visitor) -> Response:
    """Stream what changes of these topics, after the last event that the browser has."""
    topics = request.query_params.get("topics", "").split()
    if not 0 < len(topics) <= _MOST_TOPICS or not all(_is_topic(topic) for topic in topics):
        raise Refused(400, "There are no such events.")
    if site.streams.is_full:
        raise Refused(503, "Too many pages are open: close some.", {"Retry-After": "10"})
    since = request.headers.get("last-event-id") or request.query_params.get("since")
    await site.watch.begin(tuple(topics))
    text = site.streams.read(topics, since, lambda: site.visitors.is_still(visitor))
    return StreamingResponse(text, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _is_topic(topic: str) -> bool:
    return topic in _TOPICS or (topic.startswith(USER) and len(topic) < 80)
