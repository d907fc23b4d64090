"""Structured logs on standard error, for people (console) or machines (json). Does not decide what is logged.

A log line is an event with fields; outside text is cut short and escaped, and numbers and secrets never get here.
The MQTT and HTTP libraries' own loggers are silenced: they print payloads and addresses, and the bridge logs the same
events itself.
"""

import json
import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from typing import Any

import orjson
import structlog

from phoneterm_bridge.wording.outside import show

MAX_TEXT_CHARS = 120
_NOISY = ("amqtt", "transitions", "websockets", "asyncio", "alembic", "uvicorn", "httpx", "httpcore")


def set_up_logs(log_format: str, level: str) -> None:
    """Make every logger of this process, structlog's and the standard library's, use one format and one level."""
    if log_format == "auto":
        log_format = "json" if _is_journal() else "console"
    level_number = logging.getLevelNamesMapping()[level.upper()]
    steps: list[Any] = [structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
    last: list[Any]
    writer: Any
    if log_format == "json":
        last = [structlog.processors.format_exc_info, _render]
        last_of_others, writer = [*last, _decode], structlog.BytesLoggerFactory(sys.stderr.buffer)
    else:
        # The plain traceback: the rich one would print local variables, including numbers and secrets.
        plain = structlog.dev.plain_traceback
        last = [_show_fields, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
        last_of_others, writer = last, structlog.WriteLoggerFactory(sys.stderr)
    structlog.configure(
        processors=[*steps, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level_number),
        logger_factory=writer,
        cache_logger_on_first_use=False,
    )
    last_of_others = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last_of_others]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=last_of_others, foreign_pre_chain=steps))
    logging.basicConfig(handlers=[handler], level=level_number, force=True)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _is_journal() -> bool:
    """Say whether standard error goes to systemd's journal, which systemd tells by device and inode."""
    try:
        file = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):  # it is no file
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{file.st_dev}:{file.st_ino}"


def _show_fields(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Show outside text in a line for people; a traceback is not text yet."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = show(value)
    return event


def _render(_logger: object, _method: str, event: Mapping[str, object]) -> bytes:
    with suppress(TypeError):  # text that is not UTF-8, such as a file's name may be, or a number of more than 64 bits
        line = orjson.dumps(event, repr, orjson.OPT_PASSTHROUGH_DATACLASS)
        if line.isascii():
            return line
    return json.dumps(event, default=repr).encode()  # with all else escaped


def _decode(_logger: object, _method: str, line: bytes) -> str:
    return line.decode()


def shorten(text: object) -> str:
    """Return outside text in a form for a log line: escaped to printable ASCII and cut to 120 characters."""
    printable = show(str(text).encode("ascii", "backslashreplace").decode())
    return printable if len(printable) <= MAX_TEXT_CHARS else printable[: MAX_TEXT_CHARS - 1] + "~"
