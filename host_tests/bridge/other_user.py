"""A folder of another user, as the service's user is to root, and code that this user runs there.

Without root the tests cannot act as another user: then everything belongs to the same one, and must hold as well.
"""

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

OTHER = 65534 if os.geteuid() == 0 else os.geteuid()


@contextmanager
def folder_for_others():
    """Yield a new folder that belongs to another user, who may enter it; a test's usual folder is private."""
    with tempfile.TemporaryDirectory(prefix="phoneterm-other-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        os.chown(folder, OTHER, OTHER if os.geteuid() == 0 else -1)
        yield folder


def run_as_other(imports, code, folder):
    """Run code in the folder as the other user, with its imports loaded before; return what it printed."""
    change = f"import os; os.geteuid() or (os.setgroups([]), os.setgid({OTHER}), os.setuid({OTHER}))"
    done = subprocess.run(
        [sys.executable, "-c", f"{imports}\n{change}\n{code}"], cwd=folder, text=True, check=False, timeout=60,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.stdout
