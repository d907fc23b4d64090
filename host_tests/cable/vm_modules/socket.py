"""The unix port's `socket`, for which every name that ends in `.test` is this machine.

Does not change anything else.
"""

import usocket
from usocket import *  # noqa: F403


def getaddrinfo(host, *arguments):
    """Return the addresses of a host."""
    return usocket.getaddrinfo("127.0.0.1" if host.endswith(".test") else host, *arguments)
