"""Checks who may log in at the embedded broker. Does not read sockets or know topics.

The directory has argon2id hashes of the terminals' passwords. They are verified in a single thread, so a storm of
logins neither blocks the event loop nor takes more memory than one verification. A correct password is remembered,
hashed under a key of this run, so that a thousand reconnecting terminals need no slow verification again. Of each
address one password is verified at a time, so whoever guesses from one makes nobody at another wait for all guesses.
"""

import asyncio
import hashlib
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor
from weakref import WeakValueDictionary

from phoneterm_bridge.store import passwords
from phoneterm_bridge.store.live_directory import LiveDirectory


class Doorkeeper:
    """Knows the directory's terminals and the bridge itself."""

    def __init__(self, directory: LiveDirectory, bridge_name: str, bridge_password: str) -> None:
        self._directory = directory
        self._bridge_name = bridge_name
        self._bridge_password = bridge_password
        self._key = secrets.token_bytes(32)
        self._right: dict[str, bytes] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # of each address
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="doorkeeper")

    async def admits(self, username: str, password: str, address: str = "") -> bool:
        """Say whether this is the bridge, or a terminal that is not revoked, with the right password.

        address: where the login comes from.
        """
        if username == self._bridge_name:
            return hmac.compare_digest(password.encode(), self._bridge_password.encode())
        terminal = self._directory.find(username)
        if terminal is None:
            return False
        digest = hmac.digest(self._key, f"{terminal.password_hash}\0{password}".encode(), hashlib.sha256)
        if hmac.compare_digest(self._right.get(username, b""), digest):
            return True
        loop, turn = asyncio.get_running_loop(), self._turns.setdefault(address, asyncio.Lock())
        async with turn:
            is_right = await loop.run_in_executor(self._thread, passwords.is_password, terminal.password_hash, password)
        if is_right:
            self._right[username] = digest
        now = self._directory.find(username)  # it may have been revoked, or have new secrets, in the meantime
        return is_right and now is not None and now.password_hash == terminal.password_hash

    def forget(self, tid: str) -> None:
        """Forget a terminal's remembered password."""
        self._right.pop(tid, None)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)
