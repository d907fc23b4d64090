"""A socket module whose name look-up blocks everything until the file `go` is there.

Does not look anything up: every name is 127.0.0.1.
"""

import os
import time

import usocket
from usocket import *  # noqa: F403


def getaddrinfo(host, port, *rest):
    """Wait for the file, and return the address."""
    print("looking up", host)
    while "go" not in os.listdir():
        time.sleep_ms(10)
    return usocket.getaddrinfo("127.0.0.1", port, *rest)
