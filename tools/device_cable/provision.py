"""Makes a board a terminal of the store: the board's settings first, then the store, then the restart.

Does not ask anything or print. The cable is most likely to fail, so it comes first: until the board has proven that it
has its new settings, the store is untouched and nothing is enrolled. The store follows in one transaction. A board
whose new secrets the store does not know can do nothing, and running the same command again repairs it.
"""

from collections.abc import Callable

import sqlalchemy as sa
from phoneterm_bridge.broker.tls_psk import derive_psk
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.enrolling import prepare_terminal

from device_cable import nvs
from device_cable.cable import Cable
from device_cable.enrolment import Provision
from device_cable.problem import CableProblem


def enrol(cable: Cable, directory: Directory, provision: Provision, extension: str, is_enrolled: bool) -> None:
    """Write a terminal's settings to the board, then enrol it (`is_enrolled`: give it the new secrets) in the store."""
    _write(lambda: nvs.write_settings(cable, provision.texts, provision.contents))
    if is_enrolled:
        _store(lambda: directory.rotate_terminal(provision.tid, provision.prepared))
    else:
        _store(lambda: directory.add_terminal(provision.tid, extension, provision.prepared))


def rotate(cable: Cable, directory: Directory, tid: str) -> None:
    """Give the terminal on the board new secrets, and leave its other settings and its files."""
    prepared = prepare_terminal(tid)
    enrolment = prepared.enrolment
    texts = {"mqtt_password": enrolment.mqtt_password, "mac_key": enrolment.mac_key.hex()}
    if nvs.read_tls(cable) == "psk":
        texts["tls_psk"] = derive_psk(enrolment.mac_key)
    _write(lambda: nvs.change_settings(cable, texts))
    _store(lambda: directory.rotate_terminal(tid, prepared))


def _write(write: Callable[[], None]) -> None:
    try:
        write()
    except CableProblem as problem:
        raise CableProblem(
            f"{problem} The store was not changed; the board may have the new secrets or the old ones, so run the same "
            "command again until it succeeds."
        ) from None


def _store(change: Callable[[], object]) -> None:
    try:
        change()
    except SetupProblem as problem:
        reason = str(problem)
    except sa.exc.SQLAlchemyError as error:
        reason = f"The store cannot be written ({type(error).__name__})."
    else:
        return
    raise CableProblem(
        f"{reason} The board has new secrets that the store does not know: it can do nothing until the same command "
        "has succeeded."
    )
