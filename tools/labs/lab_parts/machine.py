"""The properties of a machine that matter for finding and making parts: search path, user, processor.

Does not look for a part.
"""

import os
import platform
from dataclasses import dataclass

ROOT_USER = 0


@dataclass(frozen=True)
class Machine:
    """One machine, as a process on it sees it. search_path: folders with programs, as in $PATH."""

    search_path: str
    user_id: int
    processor: str

    @property
    def is_root(self) -> bool:
        """Whether the process may make a root and start programs in it."""
        return self.user_id == ROOT_USER


def this_machine() -> Machine:
    """Return the machine that this process runs on."""
    search_path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    return Machine(search_path, os.geteuid(), platform.machine())
