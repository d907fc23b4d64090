"""The error of this part. Does not say how it is shown."""


class ServiceProblem(Exception):
    """The service cannot be installed or removed; the sentence names the reason and the remedy."""
