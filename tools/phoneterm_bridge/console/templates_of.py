"""Makes pages from templates: everything that comes from outside is escaped, and nothing unprintable gets through.

Does not know what is on a page. A name that a template asks for and that is not there is a mistake of ours, never an
empty place.
"""

from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from phoneterm_bridge.store import wall_clock
from phoneterm_bridge.wording.outside import show
from phoneterm_bridge.wording.times import write_time

HERE = Path(__file__).parent
STATIC = HERE / "static"


def make_templates(*folders: Path) -> jinja2.Environment:
    """Return the templates of these folders, and those of the console after them."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([*folders, HERE / "templates"]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_show_text,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["time"] = _write_time
    environment.filters["clock"] = _write_clock
    environment.filters["since"] = _write_since
    environment.filters["span"] = _write_span
    environment.filters["lines"] = _write_lines
    return environment


def _show_text(value: Any) -> Any:
    """Return text with what is not printable escaped; what is markup already is ours."""
    return show(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _write_time(at_ms: int | None) -> Markup | str:
    """Write a time for people and machines."""
    if at_ms is None:
        return "never"
    text = write_time(at_ms)
    return Markup('<time data-ms="{}">{}</time>').format(at_ms, text)


def _write_clock(at_ms: int) -> Markup:
    """Write a time of day for people, with the whole of it for machines and as a hint."""
    text = write_time(at_ms)
    return Markup('<time data-ms="{}" title="{}">{}</time>').format(at_ms, text, text[11:19])


def _write_since(at_ms: int) -> Markup:
    """Write since when something is so: a time of day for today, else the day, too."""
    text, now = write_time(at_ms), write_time(wall_clock.now_ms())
    return _write_clock(at_ms) if text[:10] == now[:10] else Markup('<time data-ms="{}">{}</time>').format(at_ms, text)


def _write_span(span_ms: int) -> str:
    """Write how long something took."""
    return f"{span_ms / 1000:.1f} s" if span_ms >= 1000 else f"{span_ms} ms"


def _write_lines(text: str) -> Markup:
    """Write text of several lines of our own, each of them escaped."""
    return Markup("\n").join(show(line) for line in text.split("\n"))
