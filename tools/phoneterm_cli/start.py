"""What the `phoneterm` script runs: loads the command and starts it, so that Ctrl-C meanwhile ends without a traceback.

Does not import anything of the project before that.
"""

import signal


def main() -> None:
    """Load and run the command line. Until it is loaded nothing has been done, so Ctrl-C may simply end the process."""
    is_usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_usual:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from phoneterm_cli.main import main as run

    run(lambda: is_usual and signal.signal(signal.SIGINT, signal.default_int_handler))
