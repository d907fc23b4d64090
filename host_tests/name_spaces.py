"""Name spaces of the tests' own, for a server that boots here and for mounts that nobody else sees.

In a root that is no mount itself (a chroot) nothing can be said about what is mounted below it, so there it is left as
it is.
"""

import functools
import subprocess
from pathlib import Path

ABSENT = "No name spaces can be made here: run the tests as root, outside a container that forbids mounts."
_TRY = "mount -t tmpfs tmpfs /mnt && mkdir /mnt/groups && mount -t cgroup2 cgroup2 /mnt/groups"


def mount_space():
    """Return the arguments by which `unshare` makes a name space for mounts."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    has_root = any(line.split()[4] == "/" for line in mounts)
    return ("--mount",) if has_root else ("--mount", "--propagation=unchanged")


@functools.cache
def are_possible():
    """Say whether this user, on this machine, can make name spaces and mount there what a server needs."""
    command = ["unshare", *mount_space(), "--pid", "--net", "--cgroup", "--fork", "sh", "-c", _TRY]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
