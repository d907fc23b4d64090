"""Starts this program from a wheel or a checkout; nothing need be installed before. Does no work of its own.

    sudo python3 phoneterm-0.1.0-py3-none-any.whl/phoneterm_service [--remove]
    sudo python3 tools/phoneterm_service [--remove]

Python runs a folder, also one within a wheel, as it runs a file; this package is then found beside this file.
"""

import os
import sys


def main() -> None:
    """Find the package, and run its command line."""
    sys.dont_write_bytecode = True  # as root, into somebody's checkout
    if not __package__:
        sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    from phoneterm_service.command_line import run

    run()


if __name__ == "__main__":
    main()
