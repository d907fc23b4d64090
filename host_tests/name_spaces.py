"""Name spaces of the tests' own, for a server that boots here and for mounts that nobody else sees.

In a chroot the root of a name space for mounts is not the root that a process sees. Whoever enters the name space that
it is in already (`nsenter`) sees that one: only there can all mounts be made private.
"""

import functools
import subprocess

ABSENT = "No name spaces can be made here: run the tests as root, outside a container that forbids mounts."
UNSHARE = ("unshare", "--mount", "--propagation=unchanged")
MAKE_PRIVATE = "nsenter --mount=/proc/self/ns/mnt mount --make-rprivate /"  # the first thing to do in a new one
_TRY = f"{MAKE_PRIVATE} && mount -t tmpfs tmpfs /mnt && mkdir /mnt/groups && mount -t cgroup2 cgroup2 /mnt/groups"


@functools.cache
def are_possible():
    """Say whether this user, on this machine, can make name spaces and mount there what a server needs."""
    command = [*UNSHARE, "--pid", "--net", "--cgroup", "--fork", "sh", "-c", _TRY]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
