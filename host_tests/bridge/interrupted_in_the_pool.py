"""Runs `phoneterm` with the words that it gets, and interrupts it as soon as a connection goes back to its pool."""

from phoneterm_cli.main import main
from sqlalchemy import event
from sqlalchemy.pool import Pool


@event.listens_for(Pool, "reset")
def interrupt(*_):
    """Be Ctrl-C."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
