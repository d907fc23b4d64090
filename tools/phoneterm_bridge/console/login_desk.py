"""Checks names and passwords, off the event loop and one at a time, and lets nobody guess fast. Sets no cookie.

After three wrong passwords of one account, or from one address, each further one makes the next try wait twice as long.
A try that must wait is refused without a look at the password. At most a few tries are looked at or wait for that; more
are refused at once, so a flood of them costs the bridge nothing.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from phoneterm_bridge.store.accounts import MOST_CHARS, Account
from phoneterm_bridge.store.passwords import hash_chosen_password, is_password

_Result = TypeVar("_Result")
_FREE_TRIES = 3
_MOST_PAUSE_S = 300.0
_MOST_REMEMBERED = 10_000
_MOST_AT_ONCE = 4


class TooMany(Exception):
    """Somebody must wait; seconds says how long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Too many tries: wait {seconds:.0f} seconds.")
        self.seconds = seconds


class LoginDesk:
    """One console's desk."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()  # whose -> how often, and when to try again
        self._looking = asyncio.Lock()
        self._at_once = 0
        self._nobody: str | None = None
        self._thread = ThreadPoolExecutor(1, "console login")  # one, because each would keep the memory of a hash

    async def admits(self, account: Account | None, name: str, password: str, address: str) -> bool:
        """Return whether this is the account's password (None: there is no such account); TooMany to wait."""
        keys = (f"account {name[:64]}", f"address {address}")
        wait_s = max(self._wrong.get(key, (0, 0.0))[1] for key in keys) - self._now_s()
        if wait_s > 0:
            raise TooMany(max(1.0, wait_s))
        if self._at_once >= _MOST_AT_ONCE:
            raise TooMany(2.0)
        self._at_once += 1
        try:
            async with self._looking:
                if self._nobody is None:  # so that nobody learns from the time which accounts there are
                    self._nobody = await self._run(hash_chosen_password, "nobody has this")
                hashed = self._nobody if account is None else account.secret_hash
                is_right = await self._run(is_password, hashed, password[: MOST_CHARS + 1])
        finally:
            self._at_once -= 1
        if account is None or not is_right:
            for key in keys:
                self._count_wrong(key)
            return False
        for key in keys:
            self._wrong.pop(key, None)
        return True

    def close(self) -> None:
        """Look at no more passwords."""
        self._thread.shutdown(wait=False)

    async def _run(self, work: Callable[..., _Result], *arguments: str) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def _count_wrong(self, key: str) -> None:
        count = self._wrong.pop(key, (0, 0.0))[0] + 1
        pause_s = 0.0 if count < _FREE_TRIES else min(_MOST_PAUSE_S, 2.0 ** min(count - _FREE_TRIES + 1, 16))
        self._wrong[key] = (count, self._now_s() + pause_s)
        if len(self._wrong) > _MOST_REMEMBERED:
            self._wrong.popitem(last=False)
