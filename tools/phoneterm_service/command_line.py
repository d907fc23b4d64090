"""The command line of this program: install, remove, or build the wheel of a checkout. Does no work of its own.

A problem is one sentence on standard error and exit code 1.
"""

import argparse
import os
import sys
from pathlib import Path

from phoneterm_service.install import install
from phoneterm_service.problem import ServiceProblem
from phoneterm_service.remove import remove
from phoneterm_service.source import build_wheel, find_source

_INTERRUPTED = 130


def run() -> None:
    """Read the command line, and do what it says."""
    parser = argparse.ArgumentParser(
        prog="phoneterm_service",
        description="Install the phone terminal's bridge as a service of systemd; run again, upgrade it.",
    )
    parser.add_argument("--remove", action="store_true", help="take the service away; settings and data stay")
    parser.add_argument(
        "--voipnow", action="store_true",
        help="install what asks a VoipNow who is multi user aware, too; later upgrades keep it",
    )  # fmt: skip
    parser.add_argument("--build", metavar="FOLDER", help="build the wheel of this checkout, and install nothing")
    words = parser.parse_args()
    os.umask(0o022)  # the service's user reads what root installs
    try:
        if words.build:
            print(f"Built: {build_wheel(find_source().path, Path(words.build).absolute(), Path(sys.executable))}")
        elif words.remove:
            remove()
        else:
            install(words.voipnow)
    except ServiceProblem as problem:
        print(problem, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again.", file=sys.stderr)
        sys.exit(_INTERRUPTED)
