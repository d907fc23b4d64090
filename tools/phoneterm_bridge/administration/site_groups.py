"""Which site groups there are. A group is there as soon as a terminal is in it, and no longer. Puts nobody into one."""

from collections import Counter

from phoneterm_bridge.store.records import Snapshot


def count_groups(snapshot: Snapshot) -> list[tuple[str, int]]:
    """Return every site group with the number of its terminals that are not revoked."""
    live = [name for tid, name in snapshot.groups.items() if not snapshot.terminals[tid].is_revoked]
    return sorted(Counter(live).items())
