"""Sets the clock from a time server, because the dates of a certificate cannot be checked without the right time.

Does not keep the clock right, and does not ask while it is believed: from the day when this firmware was built, for
BELIEVED_DAYS. A chip that was just switched on says the year 2000. A time server is believed by the same rule, if it
is set itself (stratum 1 to 15) and sends a whole answer to this very query; if not, the next one is asked. The router
comes last. Time servers are not authenticated: a forged answer within these years can make an expired certificate
valid, and no more. Between query and answer the other tasks run; only the look-up of a name keeps them waiting.
Days and seconds are counted from 2000-01-01, whatever the port counts from.
Source: RFC 4330 (SNTP), sections 4, 5 and 8.
"""

import asyncio
import errno
import os
import socket
import time

from phoneterm.core.causes import NO_TIME

BUILT_DAY = 9497  # the build puts its own day here; these sources are not older
SERVERS = ("pool.ntp.org", "time.cloudflare.com")  # asked after that of the settings
PORT = 123
BELIEVED_DAYS = 7305  # 20 years
NEXT_MS = 2000  # to the next server
ROUND_MS = 10000  # after the last one: long enough to count the lamp's flashes, which it does not give meanwhile
ANSWER_MS = 1000
_LOOK_MS = 20
_DAY_S = 86400
_TO_2000_S = 3155673600  # from 1900, where a server's seconds begin; they wrap in 2036
_BYTES = 48
_CLIENT = 0x23  # version 4, mode 3
_SERVER_MODE = 4
_NOT_SET = 3  # leap indicator


def make_wait(wait_network, station, radio, log, time_host=None):
    """Return a coroutine function that waits for a network and the right time.

    It sets the `cause` of `radio` when it must wait, and 0 when that is over; it logs once what each server did.
    `station.ifconfig()` knows the router.
    """

    async def wait_clock():
        await wait_network()
        turn = 0
        while not is_believed(_now_s()):
            hosts = ((time_host,) if time_host else ()) + SERVERS + (station.ifconfig()[2],)
            host = hosts[turn % len(hosts)]
            try:
                seconds = await ask(host)
                if is_believed(seconds):
                    _set(seconds)
                    break
                trouble = "says the year %d" % _localtime(seconds)[0]
            except OSError as error:
                trouble = str(error)
            if turn < len(hosts):
                log("clock-wrong", "no certificate can be checked; %s: %s" % (host, trouble))
            turn += 1
            radio.cause = NO_TIME
            await asyncio.sleep_ms(NEXT_MS if turn % len(hosts) else ROUND_MS)
            await wait_network()
        if turn:
            radio.cause = 0

    return wait_clock


def is_believed(seconds):
    """Say whether it may be this time."""
    return BUILT_DAY <= seconds // _DAY_S < BUILT_DAY + BELIEVED_DAYS


async def ask(host):
    """Return the time that a server tells; OSError when it does not, or when it is not set itself."""
    address = socket.getaddrinfo(host, PORT, 0, socket.SOCK_DGRAM)[0]
    query = bytearray(_BYTES)
    query[0] = _CLIENT
    query[40:] = os.urandom(8)  # the server repeats it, so that nobody else can answer in its place
    trouble = "no answer"
    server = socket.socket(*address[:3])
    try:
        server.setblocking(False)
        server.connect(address[-1])
        server.send(query)
        for _ in range(ANSWER_MS // _LOOK_MS):
            await asyncio.sleep_ms(_LOOK_MS)
            try:
                answer = server.recv(_BYTES)
            except OSError as error:
                if error.errno != errno.EAGAIN:
                    raise
                continue
            if len(answer) == _BYTES and answer[24:32] == query[40:]:
                if _is_set(answer):
                    return (int.from_bytes(answer[40:44], "big") - _TO_2000_S) % (1 << 32)
                trouble = "it does not know the time"
    finally:
        server.close()
    raise OSError(trouble)


def _is_set(answer):
    """Say whether the server knows the time; one that only asks to be left alone has stratum 0."""
    first, stratum = answer[:2]
    return first & 7 == _SERVER_MODE and first >> 6 != _NOT_SET and 1 <= stratum <= 15 and answer[40:] != bytes(8)


def _now_s():
    return time.time() - time.mktime((2000, 1, 1, 0, 0, 0, 0, 0))


def _localtime(seconds):
    return time.localtime(seconds + time.mktime((2000, 1, 1, 0, 0, 0, 0, 0)))


def _set(seconds):
    import machine

    year, month, day, hour, minute, second, weekday = _localtime(seconds)[:7]
    machine.RTC().datetime((year, month, day, weekday, hour, minute, second, 0))
