"""The log of the bridges in this process, kept instead of written, so that a table can be read. Judges nothing."""

import logging
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, NoReturn, Self

import structlog


class WatchedLog:
    """A context: what is logged in it is in `events`, as (level, name of the event)."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def find_errors(self) -> list[str]:
        """Return the names of the errors."""
        return [name for level, name in self.events if level in ("error", "critical")]

    def __enter__(self) -> Self:
        """Take the log over."""
        self._before = structlog.get_config()
        self._disabled = logging.root.manager.disable
        structlog.configure(
            processors=[structlog.processors.add_log_level, self._keep], cache_logger_on_first_use=False,
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        )  # fmt: skip
        logging.disable(logging.CRITICAL)  # amqtt, gmqtt and asyncio tell of each broken connection
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back."""
        logging.disable(self._disabled)
        structlog.configure(**self._before)

    def _keep(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> NoReturn:
        self.events.append((event["level"], str(event["event"])))
        raise structlog.DropEvent
