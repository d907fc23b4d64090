"""Runs other programs, one step after another. Does not know which.

The programs get no variables of phoneterm and no Python path, so that they see what the service will see.
"""

import os
import subprocess
from pathlib import Path

from phoneterm_service.problem import ServiceProblem


def run_step(step: str, *command: object) -> str:
    """Run a command and return what it printed; ServiceProblem names the step and the command's last words."""
    done = _run(*command)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()
        raise ServiceProblem(f"{step} failed: {said[-1]}")
    return done.stdout


def run_phoneterm(version: Path, *words: object) -> str:
    """Run the command of a version and return what it printed; what it says of a problem is the ServiceProblem."""
    done = _run(version / "bin" / "phoneterm", *words)
    if done.returncode != 0:
        raise ServiceProblem((done.stderr or done.stdout).strip())
    return done.stdout


def succeeds(*command: object) -> bool:
    """Run a command and return whether it ended with code 0."""
    return _run(*command).returncode == 0


def _run(*command: object) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PHONETERM_", "PYTHON"))}
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, cwd="/", check=False,
        env=kept | {"LC_ALL": "C.UTF-8"},
    )  # fmt: skip
