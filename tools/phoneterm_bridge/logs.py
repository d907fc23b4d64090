"""Structured logs on standard error, for people (console) or machines (json). Does not decide what is worth a line.

What is logged are events with fields; outside text is cut short and escaped, numbers and secrets never get here.
The MQTT library's own loggers are silenced: they print payloads, and the bridge tells their story itself.
"""

import json
import logging
import sys
from collections.abc import Mapping

import structlog

MAX_TEXT_CHARS = 120
_NOISY = ("amqtt", "transitions", "websockets", "asyncio", "alembic", "uvicorn")


def set_up_logs(log_format: str, level: str) -> None:
    """Make every logger of this process, structlog's and the standard library's, print in one format from one level."""
    level_number = logging.getLevelNamesMapping()[level.upper()]
    steps: list = [structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
    # The plain traceback: the rich one would print local variables, numbers and secrets among them.
    last: list = [
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
    ]
    if log_format == "json":
        last = [structlog.processors.format_exc_info, _render]
    structlog.configure(
        processors=[*steps, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level_number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    last.insert(0, structlog.stdlib.ProcessorFormatter.remove_processors_meta)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=last, foreign_pre_chain=steps))
    logging.basicConfig(handlers=[handler], level=level_number, force=True)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _render(_logger: object, _method: str, event: Mapping[str, object]) -> str:
    return _to_text(event)


_to_text = json.JSONEncoder(default=repr).encode  # made once: it is a quarter of what a line costs otherwise


def shorten(text: object) -> str:
    """Return outside text fit for a log line: escaped to printable ASCII and cut to 120 characters."""
    escaped = str(text).encode("ascii", "backslashreplace").decode()
    printable = "".join(character if character.isprintable() else repr(character)[1:-1] for character in escaped)
    return printable if len(printable) <= MAX_TEXT_CHARS else printable[: MAX_TEXT_CHARS - 1] + "~"
