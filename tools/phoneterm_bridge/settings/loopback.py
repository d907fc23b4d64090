"""Which hosts are this machine itself. Does not resolve names."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine itself, where nobody else can listen in."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return False
