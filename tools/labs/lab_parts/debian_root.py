"""Makes small Debian roots with Asterisk 22, SIPp, mosquitto, MicroPython; nothing is installed on the machine itself.

Does not start anything. Debian has Asterisk 22 only in its testing suite; the mirror is the one this machine's apt
already uses. This takes about half a minute and 400 MB, once. A separate mosquitto 2.0 takes 4 s and 40 MB. A
MicroPython for i386, which also runs on amd64, takes as long, and 16 MB. A bare Debian 12 that systemd can boot takes
a minute and 250 MB.
"""

import os
import shutil
import subprocess
from pathlib import Path

from lab_parts.machine import Machine, this_machine

SUITE = "forky"
OLDER_SUITE = "bookworm"  # Debian 12; has mosquitto 2.0
MACHINE_PACKAGES = ("mmdebstrap", "openssl", "mount")  # on the machine itself; each has a command of its own name
# systemd: for systemd-analyze, which checks the bridge's unit file; it does not run.
PACKAGES = ("asterisk", "asterisk-modules", "asterisk-config", "sip-tester", "mosquitto", "systemd")
# What a Debian server has, and python3-venv, which the documents have an administrator install.
SERVER_PACKAGES = ("systemd", "systemd-sysv", "python3-venv")


class InstallFailed(Exception):
    """The root could not be made; the sentence names the step and what to do."""


def install(root: Path, machine: Machine | None = None) -> None:
    """Make the root at `root` unless it is complete, by default on this machine. A half-made one is made again."""
    _make(root, SUITE, "apt", PACKAGES, machine=machine)


def install_older_mosquitto(root: Path) -> None:
    """Make a root with only mosquitto 2.0, unpacked but not configured: it needs nothing but its user."""
    files = {
        "etc/passwd": "root:x:0:0::/:/bin/false\nmosquitto:x:100:101::/:/bin/false\n",
        "etc/group": "root:x:0:\nmosquitto:x:101:\n",
    }
    _make(root, OLDER_SUITE, "extract", ("mosquitto",), files)


def install_micropython_32(root: Path) -> None:
    """Make a root with only the 32-bit MicroPython, unpacked but not configured."""
    _make(root, SUITE, "extract", ("micropython",), options=("--architectures=i386",))


def install_server(root: Path) -> None:
    """Make a root that systemd can boot, with a Python that makes environments, and nothing of ours."""
    _make(root, OLDER_SUITE, "apt", SERVER_PACKAGES)


def _make(
    root: Path,
    suite: str,
    variant: str,
    packages: tuple[str, ...],
    files: dict[str, str] | None = None,
    options: tuple[str, ...] = (),
    machine: Machine | None = None,
) -> None:
    """Make a root unless it is complete, and put our own files into it, given by path."""
    if not (machine or this_machine()).is_root:
        raise InstallFailed("Making the Debian root needs root: run the command as root.")
    if not shutil.which("apt-get"):
        raise InstallFailed(
            "There is no apt-get here: install asterisk (22), sipp and mosquitto with this system's tools."
        )
    _install_tools()
    if (root / ".ready").exists():
        return
    if root.exists():
        run_step(["rm", "-rf", "--one-file-system", str(root)], "removing the half-made root")
    root.parent.mkdir(parents=True, exist_ok=True)
    command = [
        "mmdebstrap", "--quiet", f"--variant={variant}", "--include=" + ",".join(packages), *options,
        # The mirror may be a frozen copy, older than Debian's own expiry date allows.
        '--aptopt=Acquire::Check-Valid-Until "false"', suite, str(root), _mirror(),
    ]  # fmt: skip
    run_step(command, "making the Debian root")
    for name, text in (files or {}).items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    (root / ".ready").touch()


def _install_tools() -> None:
    """Install the commands that make the root and the tests' certificates, and mount it; no services."""
    missing = [name for name in MACHINE_PACKAGES if not shutil.which(name)]
    if missing:
        run_step(["apt-get", "update", "-q"], "reading the package lists")
        step = f"installing {' and '.join(missing)}"
        run_step(["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing], step)


def _mirror() -> str:
    """Return the address of the Debian mirror that apt uses here."""
    listing = run_step(["apt-get", "indextargets", "--format", "$(REPO_URI)"], "asking apt for its mirror")
    for address in listing.splitlines():
        if "security" not in address:
            return address
    raise InstallFailed("apt knows no Debian mirror: add one to its sources and run 'apt-get update'.")


def run_step(command: list[str], step: str) -> str:
    """Run a command and return what it printed; InstallFailed names the step and the command's last words."""
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C.UTF-8")
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise InstallFailed(f"{step.capitalize()} failed: {last}")
    return done.stdout
