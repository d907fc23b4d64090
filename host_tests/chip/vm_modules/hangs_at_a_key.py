"""Goes to the end of a board.py: a fault that only a pressed key shows, at which everything stands still."""


def on_signal(name):
    """Print a signal, and hang at that of a key."""
    print("signal", name)
    while name == "key":
        pass
