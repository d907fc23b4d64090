"""Makes a small Debian root with Asterisk 22, SIPp and mosquitto, so that nothing of it lands on the machine itself.

Does not start anything. Debian has Asterisk 22 only in its testing suite; the mirror is the one this machine's apt
already uses. Takes about half a minute and 400 MB, once.
"""

import os
import shutil
import subprocess
from pathlib import Path

SUITE = "forky"
MACHINE_PACKAGES = ("mmdebstrap", "openssl")  # on the machine itself; each has a command of its own name
# systemd: for systemd-analyze, which checks the bridge's unit file; nothing of it runs.
PACKAGES = ("asterisk", "asterisk-modules", "asterisk-config", "sip-tester", "mosquitto", "systemd")


class InstallFailed(Exception):
    """The root could not be made; the sentence names the step and what to do."""


def install(root: Path) -> None:
    """Make the root at `root` unless it is complete. A half-made one is begun again."""
    if os.geteuid() != 0:
        raise InstallFailed("Making the Debian root needs root: run the command as root.")
    if not shutil.which("apt-get"):
        raise InstallFailed(
            "There is no apt-get here: install asterisk (22), sipp and mosquitto with this system's tools."
        )
    _install_tools()
    if (root / ".ready").exists():
        return
    if root.exists():
        _run(["rm", "-rf", "--one-file-system", str(root)], "removing the half-made root")
    root.parent.mkdir(parents=True, exist_ok=True)
    command = [
        "mmdebstrap", "--quiet", "--variant=apt", "--include=" + ",".join(PACKAGES),
        # The mirror may be a frozen copy, older than Debian's own expiry date allows.
        '--aptopt=Acquire::Check-Valid-Until "false"', SUITE, str(root), _mirror(),
    ]  # fmt: skip
    _run(command, "making the Debian root")
    (root / ".ready").touch()


def _install_tools() -> None:
    """Install what makes the root and the tests' certificates: two commands, no services."""
    missing = [name for name in MACHINE_PACKAGES if not shutil.which(name)]
    if missing:
        _run(["apt-get", "update", "-q"], "reading the package lists")
        step = f"installing {' and '.join(missing)}"
        _run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing], step)


def _mirror() -> str:
    """Return the address of the Debian mirror that apt uses here."""
    listing = _run(["apt-get", "indextargets", "--format", "$(REPO_URI)"], "asking apt for its mirror")
    for address in listing.splitlines():
        if "security" not in address:
            return address
    raise InstallFailed("apt knows no Debian mirror: add one to its sources and run 'apt-get update'.")


def _run(command: list[str], step: str) -> str:
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C.UTF-8")
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise InstallFailed(f"{step.capitalize()} failed: {last}")
    return done.stdout
