"""Problems with a board at a cable, each as one sentence. Does not print them or choose the exit code."""


class CableProblem(Exception):
    """One sentence that names the thing and the remedy; never a secret."""


class CableLost(CableProblem):
    """The board disappeared or stopped answering during an operation."""


class BoardFull(CableProblem):
    """The board's file system is too full."""


class DeviceFault(CableProblem):
    """The board raised an exception: its type and number, without the details of its text."""
