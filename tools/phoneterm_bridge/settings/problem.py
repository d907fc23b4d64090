"""A problem that a person must solve, told in one sentence. Does not decide who prints it or what the exit code is."""


class SetupProblem(Exception):
    """One sentence that names the thing and, where there is one, the option that changes it; never a secret."""
