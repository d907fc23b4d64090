"""Hashes terminals' MQTT passwords with argon2id and checks them. Does not know who may do what.

The passwords are 32 random characters made by `store.directory`, so the cost stays small on purpose: guessing is
hopeless already, and a thousand terminals that reconnect at once must not wait for minutes.
"""

import argon2

_TIME_COST = 2
_MEMORY_KIB = 8192


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password, with its salt and parameters."""
    return _hasher().hash(password)


def is_password(hashed: str, password: str) -> bool:
    """Say whether `password` is the one that was hashed; takes some milliseconds, so call it off the event loop."""
    try:
        return _hasher().verify(hashed, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _hasher() -> argon2.PasswordHasher:
    return argon2.PasswordHasher(time_cost=_TIME_COST, memory_cost=_MEMORY_KIB, parallelism=1)
