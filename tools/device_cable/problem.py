"""Problems with a board at a cable, told in one sentence each. Does not decide who prints them or the exit code."""


class CableProblem(Exception):
    """One sentence that names the thing and the remedy; never a secret."""


class CableLost(CableProblem):
    """The board went away, or does not answer any more, while something was done to it."""


class BoardFull(CableProblem):
    """The board's file system has no room for what is to be written."""


class DeviceFault(CableProblem):
    """The board refused what it was told: the type of the exception and its number, without its text's details."""
