"""A TLS handshake between two contexts in memory. Does not open a connection or read a file."""

import ssl


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> dict:
    """Do a handshake of client and server in memory, and return the certificate as the client sees it."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(down, up), server.wrap_bio(up, down, server_side=True)]
    is_done = [False, False]
    while not all(is_done):
        for index, end in enumerate(ends):
            try:
                end.do_handshake()
                is_done[index] = True
            except ssl.SSLWantReadError:
                continue
    return ends[0].getpeercert() or {}
