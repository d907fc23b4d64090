"""Reads the bridge's figures from its parts: plain numbers by metric and labels. Does not format or keep them.

Runs on the event loop and must stay short. `metrics` defines the names; the figures of a metric are a mapping from the
values of its labels to a number. Labels never hold a dialled number.
"""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from phoneterm_bridge.command.dispatcher import CommandDispatcher
from phoneterm_bridge.command.message_router import MessageRouter
from phoneterm_bridge.command.running_commands import RunningCommands
from phoneterm_bridge.health.health import Health
from phoneterm_bridge.store.live_directory import LiveDirectory
from phoneterm_bridge.store.troubles import KINDS
from phoneterm_bridge.terminals.publisher import TerminalPublisher
from phoneterm_bridge.terminals.sessions import Sessions
from phoneterm_bridge.terminals.sightings import Sightings
from phoneterm_bridge.terminals.telemetry import Telemetry
from phoneterm_bridge.web.counted_journal import CountedJournal

Figures = dict[str, dict[tuple[str, ...], float]]

# Terminals that get their own figures. With more, only sums would be useful, and a scrape would take too long.
MOST_TERMINALS = 250


@dataclass(frozen=True)
class Sources:
    """The parts that are asked."""

    health: Health
    journal: CountedJournal
    router: MessageRouter
    dispatcher: CommandDispatcher
    running_commands: RunningCommands
    publisher: TerminalPublisher
    sessions: Sessions
    directory: LiveDirectory
    telemetry: Telemetry
    sightings: Sightings
    store_path: Path


def read_figures(sources: Sources) -> Figures:
    """Return the present values of all metrics but the histogram."""
    return (
        _read_path(sources)
        | _read_surroundings(sources)
        | _read_troubles(sources.health)
        | _read_sightings(sources.sightings, sources.directory)
        | _read_terminals(sources.telemetry, set(sources.sessions.tids()))
    )


def _read_path(sources: Sources) -> Figures:
    said: dict[tuple[str, ...], float] = {
        (kind.rpartition("/")[2],): float(count) for kind, count in sources.publisher.said.items()
    }
    return {
        "phoneterm_commands": {result: float(count) for result, count in sources.journal.results.items()},
        "phoneterm_commands_in_flight": _one(sources.dispatcher.in_flight),
        "phoneterm_transfers_open": _one(sources.running_commands.count),
        "phoneterm_messages_refused": {(reason,): float(count) for reason, count in sources.router.refused.items()},
        "phoneterm_messages_said": said,
        "phoneterm_journal_queue": _one(sources.journal.queued),
        "phoneterm_journal_failures": _one(sources.journal.failures),
    }


def _read_surroundings(sources: Sources) -> Figures:
    health, pulse, snapshot = sources.health, sources.health.pulse, sources.directory.snapshot
    missing = health.missing()
    shown = health.certificate.shown if health.certificate else None
    states = Counter("revoked" if record.is_revoked else "enrolled" for record in snapshot.terminals.values())
    return {
        "phoneterm_ready": _one(not missing),
        "phoneterm_broker_up": _one("broker" not in missing),
        "phoneterm_broker_losses": _one(health.link_losses),
        "phoneterm_broker_certificate_expires_timestamp_seconds": _one(shown.ends_s) if shown else {},
        "phoneterm_pbx_up": _one("pbx" not in missing),
        "phoneterm_pbx_losses": _one(health.pbx_losses),
        "phoneterm_pulses_missed": _one(pulse.missed),
        "phoneterm_pulse_seconds": _one(pulse.round_trip_s) if pulse.round_trip_s is not None else {},
        "phoneterm_loop_lag_seconds": _one(health.take_lag_s()),
        "phoneterm_terminals": {
            ("enrolled",): states["enrolled"], ("revoked",): states["revoked"],
            ("online",): len(sources.sessions.tids()),
        },
        "phoneterm_directory_revision": _one(snapshot.revision),
        "phoneterm_external_revoked": _one(snapshot.is_external_revoked),
        "phoneterm_store_bytes": _one(_size_bytes(sources.store_path)),
    }  # fmt: skip


def _read_troubles(health: Health) -> Figures:
    """Return how many terminals have each kind of trouble, and the names of the first ones."""
    standing = health.troubles.standing()
    counted = Counter(one.what for one in standing)
    return {
        "phoneterm_terminals_troubled": {(what,): counted[what] for what in KINDS},
        "phoneterm_terminal_troubled": {(one.tid, one.what): 1 for one in standing[:MOST_TERMINALS]},
    }


def _read_sightings(sightings: Sightings, directory: LiveDirectory) -> Figures:
    """Return what was seen of the first terminals that are not revoked, online or not."""
    seen = [one for one in sightings.all() if directory.find(one.tid) is not None][:MOST_TERMINALS]
    refusals: dict[tuple[str, ...], float] = {(one.tid,): one.refusals for one in seen if one.refusals is not None}
    return {
        "phoneterm_terminal_info": {(one.tid, one.firmware, one.board): 1 for one in seen},
        "phoneterm_terminal_online": {(one.tid,): float(one.is_online) for one in seen},
        "phoneterm_terminal_refusals": refusals,
    }


def _read_terminals(telemetry: Telemetry, online: set[str]) -> Figures:
    """Return the telemetry of the first terminals."""
    latest, left_out = telemetry.latest(online, MOST_TERMINALS)
    figures: Figures = {"phoneterm_terminals_left_out": _one(left_out)}
    for tid, fields in latest.items():
        for field, value in fields.items():
            name, factor = TELEMETRY_METRICS.get(field, ("", 1.0))
            if name:
                figures.setdefault(name, {})[(tid,)] = value * factor
    return figures


# Fields of the telemetry message: the metric, and the factor that makes its unit seconds or bytes.
TELEMETRY_METRICS = {
    "uptime_s": ("phoneterm_terminal_uptime_seconds", 1.0),
    "heap_free": ("phoneterm_terminal_heap_free_bytes", 1.0),
    "heap_used": ("phoneterm_terminal_heap_used_bytes", 1.0),
    "idf_free": ("phoneterm_terminal_idf_free_bytes", 1.0),
    "idf_largest": ("phoneterm_terminal_idf_largest_bytes", 1.0),
    "idf_least": ("phoneterm_terminal_idf_least_bytes", 1.0),
    "memory_restarts": ("phoneterm_terminal_memory_restarts", 1.0),
    "rssi": ("phoneterm_terminal_rssi_dbm", 1.0),
    "gap_p50_ms": ("phoneterm_terminal_scan_gap_p50_seconds", 0.001),
    "gap_p99_ms": ("phoneterm_terminal_scan_gap_p99_seconds", 0.001),
    "gap_max_ms": ("phoneterm_terminal_scan_gap_max_seconds", 0.001),
    "keys": ("phoneterm_terminal_keys", 1.0),
    "ghosts": ("phoneterm_terminal_ghosts", 1.0),
    "stuck": ("phoneterm_terminal_stuck", 1.0),
    "tainted": ("phoneterm_terminal_tainted", 1.0),
    "reconnects": ("phoneterm_terminal_reconnects", 1.0),
    "refused": ("phoneterm_terminal_refused", 1.0),
    "dropped": ("phoneterm_terminal_dropped", 1.0),
    "restarts": ("phoneterm_terminal_restarts", 1.0),
}


def _one(value: float) -> dict[tuple[str, ...], float]:
    return {(): float(value)}


def _size_bytes(path: Path) -> int:
    """Return the size of the store on the disk, including its write-ahead log; 0 when it cannot be seen."""
    total = 0
    for name in (path, Path(f"{path}-wal")):
        try:
            total += os.stat(name).st_size
        except OSError:
            continue
    return total
