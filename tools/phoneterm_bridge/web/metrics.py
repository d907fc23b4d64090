"""The bridge's metrics as Prometheus reads them: their descriptions, and the text of a scrape. Does not count anything.

All are here, in the order of the text. A counter's name gets `_total` in the text. Figures of the process (memory,
CPU, files) come from prometheus-client's own collector.
"""

import asyncio
import platform
from collections.abc import Iterator
from importlib.metadata import version
from itertools import accumulate

from prometheus_client import CollectorRegistry, Metric, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily

from phoneterm_bridge.web.counted_journal import BOUNDS_MS
from phoneterm_bridge.web.figures import Figures

# The name; whether it is a counter; its labels; its description.
_DESCRIPTIONS: tuple[tuple[str, bool, tuple[str, ...], str], ...] = (
    ("phoneterm_ready", False, (), "1 when a command keyed now would reach the PBX."),
    ("phoneterm_broker_up", False, (), "1 when the broker returns the bridge's messages."),
    ("phoneterm_broker_losses", True, (), "Connections to the broker that were lost."),
    ("phoneterm_pulses_missed", True, (), "Messages of the bridge to itself that did not come back in time."),
    ("phoneterm_pulse_seconds", False, (), "How long the last of these messages took through the broker."),
    ("phoneterm_broker_certificate_expires_timestamp_seconds", False, (), "When the certificate it shows ends."),
    ("phoneterm_pbx_up", False, (), "1 when the PBX is connected and logged in."),
    ("phoneterm_pbx_losses", True, (), "Connections to the PBX that were lost."),
    ("phoneterm_commands", True, ("op", "state", "reason"), "Results told to terminals, or by them (refused)."),
    ("phoneterm_commands_in_flight", False, (), "Commands that the PBX has not answered yet."),
    ("phoneterm_transfers_open", False, (), "Commands whose end is not known yet."),
    ("phoneterm_messages_refused", True, ("reason",), "Messages from terminals that were refused."),
    ("phoneterm_messages_said", True, ("kind",), "Messages to terminals, permissions among them."),
    ("phoneterm_journal_queue", False, (), "Journal writes that wait for the disk."),
    ("phoneterm_journal_failures", True, (), "Commands that could not be journalled, and so were not carried out."),
    ("phoneterm_loop_lag_seconds", False, (), "The longest delay of the event loop since the last scrape."),
    ("phoneterm_store_bytes", False, (), "Size of the store on the disk."),
    ("phoneterm_directory_revision", False, (), "Revision of users, extensions, terminals and permissions."),
    ("phoneterm_external_revoked", False, (), "1 when the site's limit has switched numbers outside off."),
    ("phoneterm_terminals", False, ("state",), "Terminals: enrolled, revoked, and online now."),
    ("phoneterm_terminals_left_out", False, (), "Terminals online that have no figures of their own here."),
    ("phoneterm_terminals_troubled", False, ("what",), "Terminals without what they were sent, or short of memory."),
    ("phoneterm_terminal_troubled", False, ("tid", "what"), "1 for each of these, by name."),
    ("phoneterm_terminal_info", False, ("tid", "firmware", "board"), "1 for each terminal, as it was last seen."),
    ("phoneterm_terminal_online", False, ("tid",), "1 when the terminal is online, 0 when it was and is not."),
    ("phoneterm_terminal_refusals", True, ("tid",), "What the terminal has refused by itself since it started."),
    ("phoneterm_terminal_uptime_seconds", False, ("tid",), "Time since the terminal started."),
    ("phoneterm_terminal_heap_free_bytes", False, ("tid",), "Bytes that the terminal's heap can still give."),
    ("phoneterm_terminal_heap_used_bytes", False, ("tid",), "Bytes of that heap in use, as a rule without garbage."),
    ("phoneterm_terminal_idf_free_bytes", False, ("tid",), "Bytes left for Wi-Fi, sockets and TLS (ESP-IDF)."),
    ("phoneterm_terminal_idf_largest_bytes", False, ("tid",), "The largest free block of them."),
    ("phoneterm_terminal_idf_least_bytes", False, ("tid",), "Their lowest value since the terminal started."),
    ("phoneterm_terminal_memory_restarts", True, ("tid",), "Links given up because there were too few."),
    ("phoneterm_terminal_rssi_dbm", False, ("tid",), "Radio signal at the terminal."),
    ("phoneterm_terminal_scan_gap_p50_seconds", False, ("tid",), "Median time between two scans, of the last minute."),
    ("phoneterm_terminal_scan_gap_p99_seconds", False, ("tid",), "99th percentile of that time."),
    ("phoneterm_terminal_scan_gap_max_seconds", False, ("tid",), "The longest such time."),
    ("phoneterm_terminal_keys", True, ("tid",), "Key presses since the terminal started."),
    ("phoneterm_terminal_ghosts", True, ("tid",), "Samples that could not be told apart, several keys being down."),
    ("phoneterm_terminal_stuck", False, ("tid",), "Keys that are stuck now."),
    ("phoneterm_terminal_tainted", True, ("tid",), "Sequences refused because a scan gap may have hidden a key."),
    ("phoneterm_terminal_reconnects", True, ("tid",), "Times the terminal lost the broker."),
    ("phoneterm_terminal_refused", True, ("tid",), "Messages the terminal did not accept."),
    ("phoneterm_terminal_dropped", True, ("tid",), "Messages the terminal could not send."),
    ("phoneterm_terminal_restarts", True, ("tid",), "Tasks of the terminal that died and were started again."),
)


async def render(figures: Figures, delays: list[int], delay_sum_ms: int) -> bytes:
    """Return the text of a scrape; between two metrics the event loop turns, so that no command waits for all of it."""
    parts = []
    for metric in _collect(figures, delays, delay_sum_ms):
        parts.append(_format(metric))
        await asyncio.sleep(0)
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return b"".join((*parts, generate_latest(registry)))


class _One:
    """One metric, as a collector of prometheus-client."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Iterator[Metric]:
        """Yield the metric."""
        yield self._metric


def _format(metric: Metric) -> bytes:
    registry = CollectorRegistry()
    registry.register(_One(metric))
    return generate_latest(registry)


def _collect(figures: Figures, delays: list[int], delay_sum_ms: int) -> Iterator[Metric]:
    """Yield every metric, including those without a figure."""
    build = {"version": version("phoneterm"), "python": platform.python_version()}
    yield InfoMetricFamily("phoneterm_build", "This bridge.", build)
    yield _delay_metric(delays, delay_sum_ms)
    for name, is_counter, labels, description in _DESCRIPTIONS:
        family = (CounterMetricFamily if is_counter else GaugeMetricFamily)(name, description, labels=labels)
        for values, figure in figures.get(name, {}).items():
            family.add_metric(values, figure)
        yield family


def _delay_metric(delays: list[int], delay_sum_ms: int) -> Metric:
    bounds = [*(str(bound_ms / 1000) for bound_ms in BOUNDS_MS), "+Inf"]
    description = "From the reception of a command to the question to the PBX; its resolution is a millisecond."
    family = HistogramMetricFamily("phoneterm_command_to_pbx_seconds", description)
    buckets = list(zip(bounds, accumulate(delays), strict=True))
    family.add_metric([], buckets, delay_sum_ms / 1000)
    return family


def label_names(sample: str) -> tuple[str, ...]:
    """Return the labels of a sample by its name in the text; ValueError if there is no such metric."""
    for name, is_counter, labels, _ in _DESCRIPTIONS:
        if sample == (f"{name}_total" if is_counter else name):
            return labels
    raise ValueError(f"there is no metric {sample}")
