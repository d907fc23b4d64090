"""Hashes MQTT passwords: with argon2id for the bridge itself, with PBKDF2 for mosquitto. Does not know who may do what.

Terminals' passwords are 32 random characters made by `store.directory`. Guessing them is hopeless already, so the cost
is small on purpose: a thousand terminals that reconnect at once must not wait for minutes.
People's passwords may be guessed, so hashing them takes longer.
mosquitto's format is that of mosquitto_passwd: $7$ROUNDS$SALT$DIGEST, PBKDF2 with SHA-512, salt and digest in base64.
mosquitto 2.0 knows no other salted format, and Debian builds 2.1 without argon2id.
"""

import base64
import hashlib

import argon2

SALT_BYTES = 12  # mosquitto 2.0 accepts no other length
MOSQUITTO_ROUNDS = 1000  # as in mosquitto_passwd 2.1; a login costs mosquitto about a millisecond
_TIME_COST = 2
_MEMORY_KIB = 8192
_PEOPLE_MEMORY_KIB = 7 * 1024  # with the time below as good as more memory, which the bridge would keep afterwards
_PEOPLE_TIME_COST = 5


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password, with its salt and parameters."""
    return _hasher().hash(password)


def is_password(hashed: str, password: str) -> bool:
    """Return whether `password` is the hashed one; takes some milliseconds, so call it off the event loop."""
    try:
        return _hasher().verify(hashed, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def hash_chosen_password(password: str) -> str:
    """Return the argon2id hash of a password that a person has chosen; takes a tenth of a second."""
    return argon2.PasswordHasher(_PEOPLE_TIME_COST, _PEOPLE_MEMORY_KIB, parallelism=1).hash(password)


def hash_for_mosquitto(password: str, salt: bytes) -> str:
    """Return the hash of a password in the format of mosquitto's password file; `salt` has SALT_BYTES."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt of {len(salt)} bytes")
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, MOSQUITTO_ROUNDS)
    return f"$7${MOSQUITTO_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def _hasher() -> argon2.PasswordHasher:
    return argon2.PasswordHasher(time_cost=_TIME_COST, memory_cost=_MEMORY_KIB, parallelism=1)
