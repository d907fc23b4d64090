"""What a program that a test starts does when its terminal is closed."""

import signal


def hear_hangups():
    """Let the program hear of it, as one from a shell does, even if the tests run under `nohup`; a preexec_fn."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
