"""A bare Debian 12 server on this machine: systemd boots in namespaces of its own, on a copy that is gone afterwards.

It has a loopback of its own and no other network. Needs root and the part "debian-server".
"""

import errno
import os
import subprocess
import time
from pathlib import Path

from name_spaces import MAKE_PRIVATE, UNSHARE

BOOTED_S = 120
ENDED_S = 30
_DONE_S = 900  # a hundred times what an installation takes on a quiet machine; it only ends what hangs
_CGROUPS = (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))
_ENVIRONMENT = ("env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
                "HOME=/root")  # fmt: skip
# $1: the Debian root, which is not changed; then a folder of this machine and where the server sees it, and so on.
_BOOT = (
    f"set -e\n{MAKE_PRIVATE}"
    + """
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o "lowerdir=$1,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
shift
while [ $# -gt 0 ]; do mkdir -p "/mnt/root$2"; mount --bind -o ro "$1" "/mnt/root$2"; shift 2; done
cd /mnt/root
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
# Of its own, where that is allowed: what is done to their rights there is not done to this machine's.
for name in null zero full random urandom tty; do
  cp -a "/dev/$name" "dev/$name" 2>/dev/null || { touch "dev/$name"; mount --bind "/dev/$name" "dev/$name"; }
done
mkdir dev/shm dev/pts run/old
mount -t devpts -o newinstance devpts dev/pts
ln -s pts/ptmx dev/ptmx
exec nsenter --mount=/proc/self/ns/mnt --wd=. sh -c '
set -e
pivot_root . run/old
umount -l /run/old
mount --make-rshared /
exec env -i container=phoneterm PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=multi-user.target
'
"""
)


class DebianServer:
    """One server; leaving the block always ends it. shown: folders of this machine, by where it sees them."""

    def __init__(self, debian_root, shown):
        words = [str(word) for place, folder in shown.items() for word in (folder, place)]
        self._words = ["sh", "-c", _BOOT, "boot", str(debian_root), *words]
        self._cgroup = (
            next(place for place in _CGROUPS if (place / "cgroup.procs").exists()) / f"phoneterm-{os.getpid()}"
        )

    def __enter__(self):
        self._cgroup.mkdir(exist_ok=True)
        enter = f'echo $$ > {self._cgroup}/cgroup.procs && exec setpriv --pdeathsig KILL "$@"'
        spaces = (*UNSHARE, "--pid", "--uts", "--ipc", "--net", "--cgroup", "--fork", "--kill-child")
        command = ["sh", "-c", enter, "enter", *spaces, *self._words]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            self._wait_until_booted()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        for folder, _, _ in os.walk(self._cgroup, topdown=False):
            _remove_cgroup(Path(folder))

    @property
    def root(self):
        """Return the folder of its files, as this process sees it."""
        return Path(f"/proc/{self.pid}/root")

    def try_command(self, *words):
        """Run a command there as root, and return the finished process."""
        command = ["nsenter", "--target", str(self.pid), "--all", "--root", *_ENVIRONMENT, *words]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=_DONE_S
        )

    def run(self, *words):
        """Run a command there as root, and return what it printed; it must succeed, and have no traceback."""
        done = self.try_command(*words)
        assert done.returncode == 0, f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}"
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout

    def shell(self, line):
        """Run a line of shell there, as `run` runs a command."""
        return self.run("sh", "-c", line)

    def _wait_until_booted(self):
        end = time.monotonic() + BOOTED_S
        while time.monotonic() < end:
            assert self._process.poll() is None, self._process.stdout.read().decode()
            self.pid = self._find_first()
            if self.pid and self.try_command("systemctl", "is-system-running").stdout.strip() == "running":
                return
            time.sleep(0.05)
        raise AssertionError(self.try_command("systemctl", "list-jobs").stdout)

    def _find_first(self):
        """Return the process id of its systemd, once it is the first process of its own."""
        for child in Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split():
            if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                return int(child)
        return None


def _remove_cgroup(folder):
    """Remove a control group, once the kernel has ended its processes: it ends all with the first one."""
    end = time.monotonic() + ENDED_S
    while True:
        try:
            folder.rmdir()
            return
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)
