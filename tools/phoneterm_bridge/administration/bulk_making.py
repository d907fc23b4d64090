"""Makes a change of many terminals in the store: all of it or nothing, and only what its preview has shown.

A request to terminals (identify, reboot) is no change of the store and is not made here.
"""

from collections.abc import Callable, Iterable

import sqlalchemy as sa

from phoneterm_bridge.administration.bulk_change import (
    ALLOW_CLASS,
    AWARE,
    DENY_CLASS,
    GROUP,
    NOT_AWARE,
    REVOKE,
    ROTATE,
    SWITCHES,
    Change,
    Preview,
    classes_then,
    name_left_out,
    preview_change,
)
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import reading
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.enrolling import prepare_terminal
from phoneterm_bridge.store.records import Enrolment, Snapshot

_CHANGED = "Who is affected has changed since the preview, so nothing was done: look at it again."


def make_change(
    engine: sa.Engine, directory: Directory, change: Change, tids: Iterable[str], mark: str | None,
    keep_secrets: Callable[[list[Enrolment]], None],
) -> Preview:  # fmt: skip
    """Make a change and return whom it has affected.

    mark: of the preview that somebody has agreed to; None where nobody has seen one. keep_secrets: gets the new secrets
    before anything is written; if it raises, nothing is.
    """
    snapshot = reading.read_snapshot(engine)
    preview = preview_change(change, tids, snapshot, lambda *_: "")
    if mark is not None and mark != preview.mark:
        raise SetupProblem(_CHANGED)
    if not preview.affected:
        raise SetupProblem(f"No terminal is affected, so nothing was done: {name_left_out(preview.left_out)}.")
    secrets = [prepare_terminal(one.tid) for one in preview.affected] if change.what == ROTATE else []
    with directory.gathered():  # the running bridge waits for a moment only, however many there are
        if preview_change(change, tids, reading.read_snapshot(engine), lambda *_: "").mark != preview.mark:
            raise SetupProblem(_CHANGED)  # while secrets were made; from here on the directory itself notices
        if change.what in (AWARE, NOT_AWARE):
            for user in dict.fromkeys(one.user for one in preview.affected):
                directory.set_multi_user_aware(user, change.what == AWARE)
        else:
            for one in preview.affected:
                _change_one(directory, change, one.tid, snapshot)
        for prepared in secrets:
            directory.rotate_terminal(prepared.enrolment.tid, prepared)
        keep_secrets([prepared.enrolment for prepared in secrets])
    return preview


def _change_one(directory: Directory, change: Change, tid: str, snapshot: Snapshot) -> None:
    if change.what in SWITCHES:
        directory.set_operation(tid, *SWITCHES[change.what])
    elif change.what in (ALLOW_CLASS, DENY_CLASS):
        directory.set_classes(tid, classes_then(change, snapshot.terminals[tid]))
    elif change.what == GROUP:
        directory.set_group(tid, change.value)
    elif change.what == REVOKE:
        directory.revoke_terminal(tid)
