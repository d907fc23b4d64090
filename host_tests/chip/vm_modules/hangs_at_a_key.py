"""Is appended to a board.py: a fault that appears only when a key is pressed, and stops everything."""


def on_signal(name):
    """Print a signal, and hang at the signal of a key."""
    print("signal", name)
    while name == "key":
        pass
