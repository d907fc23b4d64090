"""Makes the secrets of a new terminal, and the values that the store keeps of them. Does not write the store.

Hashing takes some milliseconds, so it is done before the store is locked.
"""

import os
import secrets
from typing import NamedTuple

from phoneterm_bridge.store import passwords
from phoneterm_bridge.store.records import Enrolment

_MAC_KEY_BYTES = 32


class Prepared(NamedTuple):
    """A terminal's secrets, to be shown once, and its columns in the store."""

    enrolment: Enrolment
    columns: dict


def prepare_terminal(tid: str) -> Prepared:
    """Make new secrets for a terminal."""
    enrolment = Enrolment(tid, secrets.token_urlsafe(24), secrets.token_bytes(_MAC_KEY_BYTES))
    salt = os.urandom(passwords.SALT_BYTES)
    columns = {
        "tid": tid,
        "mac_key": enrolment.mac_key,
        "password_hash": passwords.hash_password(enrolment.mqtt_password),
        "mosquitto_hash": passwords.hash_for_mosquitto(enrolment.mqtt_password, salt),
    }
    return Prepared(enrolment, columns)
