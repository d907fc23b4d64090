"""Works out what a CSV file changes in the directory, and what is wrong with it. Does not change anything.

New entries are added. For existing ones, the permissions are set as the file says; an empty cell leaves them alone
("none" removes all). A file cannot change an extension's endpoint, context, type and user, or a terminal's extension,
so a difference there is a mistake. Nothing is removed.
"""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from phoneterm.core.operations import FLAGS

from phoneterm_bridge.csv_files.rows import CsvRow, Mistake, show
from phoneterm_bridge.store import names
from phoneterm_bridge.store.names import tidy_group
from phoneterm_bridge.store.records import DEFAULT_CLASSES, TERMINAL_TYPE

USUAL_CONTEXT = "internal"
_WORDS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_NAMED_BY_TERMINAL = ("operations", "classes", "allow", "deny")
_NAMED_BY_EXTENSION = ("endpoint", "context", "type", "terminal")


class Step(NamedTuple):
    """One call of a method of Directory."""

    method: str
    arguments: tuple


@dataclass
class Known:
    """The existing entries: users with their flag, extensions with (user, endpoint, context, type), terminals."""

    users: dict[str, bool] = field(default_factory=dict)
    extensions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    terminals: dict[str, dict] = field(default_factory=dict)


class ImportPlan:
    """The steps of an import, in order, and the file's mistakes; `known` is kept up to date with the steps."""

    def __init__(self, known: Known, classes: Collection[str] | None = None, context: str = USUAL_CONTEXT) -> None:
        """Start with what is there. classes: the classes of numbers that there are; None if that is not known."""
        self._context = context
        self.known = known
        self._classes = classes
        self.steps: list[Step] = []
        self.mistakes: list[Mistake] = []

    @property
    def sets_permission(self) -> bool:
        """Say whether it gives somebody the permission User is multi user aware, or takes it away."""
        given = ("set_multi_user_aware", "add_user")
        return any(one.method == given[0] or (one.method == given[1] and one.arguments[1]) for one in self.steps)

    @property
    def mark(self) -> str:
        """Return what names these steps and no others."""
        return hashlib.sha256(repr(self.steps).encode()).hexdigest()[:32]

    def add(self, row: CsvRow) -> None:
        """Work out one row; steps that depend on wrong cells are left out."""
        cells, before = row.cells, len(self.mistakes)
        self._refuse(row, "user", names.problem_of_user(cells["user"]))
        aware = self._read_word(row, "multi_user_aware")
        self._refuse_orphans(row, "extension", _NAMED_BY_EXTENSION)
        self._refuse_orphans(row, "terminal", (*_NAMED_BY_TERMINAL, "group"))
        if len(self.mistakes) > before:
            return
        self._add_user(cells["user"], aware)
        is_right = bool(cells["extension"]) and self._add_extension(row)
        if cells["terminal"]:
            is_right = is_right and self._add_terminal(row)
            if not self._refuse_permissions(row) and is_right:
                self._set_permissions(row)

    def _add_user(self, name: str, aware: bool | None) -> None:
        if name not in self.known.users:
            self._step("add_user", name, bool(aware))
        elif aware is not None and self.known.users[name] != aware:
            self._step("set_multi_user_aware", name, aware)
        self.known.users[name] = self.known.users.get(name, False) if aware is None else aware

    def _add_extension(self, row: CsvRow) -> bool:
        cells, number = row.cells, row.cells["extension"]
        there = self.known.extensions.get(number)
        usual = there or (cells["user"], number, self._context, TERMINAL_TYPE)
        wanted = (cells["user"], *(cells[name] or usual[at] for at, name in _EXTENSION_COLUMNS))
        problems = {"extension": names.problem_of_extension(number)}
        given = [name for _, name in _EXTENSION_COLUMNS if cells[name]]
        problems |= {name: names.problem_of_pbx_name(name, cells[name]) for name in given}
        if there is not None:
            for at, name in ((0, "user"), *_EXTENSION_COLUMNS):
                if wanted[at] != there[at]:
                    problems[name] = f"extension {show(number)} already has {show(there[at])}"
        if self._refuse_all(row, problems):
            return False
        if there is None:
            self._step("add_extension", number, *wanted)
            self.known.extensions[number] = wanted
        return True

    def _add_terminal(self, row: CsvRow) -> bool:
        tid, extension = row.cells["terminal"], row.cells["extension"]
        there = self.known.terminals.get(tid)
        problem = names.problem_of_tid(tid)
        if there is not None and there["is_revoked"]:
            problem = "this terminal has been revoked; a new one needs a new id"
        elif there is not None and there["extension"] != extension:
            problem = f"this terminal is already at extension {show(there['extension'])}"
        kind = self.known.extensions[extension][3]
        if problem is None and there is None and kind != TERMINAL_TYPE:
            kinds = f"an extension of type {show(kind)} cannot have a terminal: it needs type {TERMINAL_TYPE}"
            return not self._refuse(row, "type" if row.cells["type"] else "terminal", kinds)
        if self._refuse(row, "terminal", problem):
            return False
        if there is None:
            self._step("add_terminal", tid, extension)
            new = {"extension": extension, "is_revoked": False, "operations": FLAGS, "allow": (), "deny": ()}
            self.known.terminals[tid] = new | {"classes": DEFAULT_CLASSES, "group": ""}
        return True

    def _refuse_permissions(self, row: CsvRow) -> bool:
        given = {name: _split(row.cells[name]) for name in _NAMED_BY_TERMINAL if row.cells[name]}
        problems = {name: _CHECKS[name](words) for name, words in given.items()}
        if "classes" in given and problems["classes"] is None:
            problems["classes"] = self._problem_of_unknown(given["classes"])
        if group := _read_group(row.cells["group"]):
            problems["group"] = names.problem_of_group(group)
        return self._refuse_all(row, problems)

    def _set_permissions(self, row: CsvRow) -> None:
        cells, tid = row.cells, row.cells["terminal"]
        there = self.known.terminals[tid]
        wanted = {name: _split(cells[name]) if cells[name] else there[name] for name in _NAMED_BY_TERMINAL}
        for operation in FLAGS:
            if (operation in wanted["operations"]) != (operation in there["operations"]):
                self._step("set_operation", tid, operation, operation in wanted["operations"])
        if wanted["classes"] != there["classes"]:
            self._step("set_classes", tid, wanted["classes"])
        if (wanted["allow"], wanted["deny"]) != (there["allow"], there["deny"]):
            self._step("set_prefixes", tid, wanted["allow"], wanted["deny"])
        group = _read_group(cells["group"]) if cells["group"] else there["group"]
        if group != there["group"]:
            self._step("set_group", tid, group)
        there.update(wanted, group=group)

    def _problem_of_unknown(self, classes: tuple[str, ...]) -> str | None:
        """Name the classes that no number has."""
        if self._classes is None:
            return None
        unknown = ", ".join(name for name in classes if name not in self._classes)
        return f"there is no class {unknown}; there are {', '.join(self._classes)}" if unknown else None

    def _read_word(self, row: CsvRow, column: str) -> bool | None:
        text = row.cells[column].lower()
        if text and text not in _WORDS:
            self._refuse(row, column, f"{show(row.cells[column])} is neither yes nor no")
        return _WORDS.get(text)

    def _refuse_orphans(self, row: CsvRow, owner: str, columns: tuple[str, ...]) -> None:
        """A cell about an extension or terminal needs one in its line."""
        for column in columns:
            if row.cells[column] and not row.cells[owner]:
                self._refuse(row, column, f"the line has no {owner} that this could belong to")

    def _refuse_all(self, row: CsvRow, problems: dict[str, str | None]) -> bool:
        refused = [self._refuse(row, column, problem) for column, problem in problems.items()]
        return any(refused)

    def _refuse(self, row: CsvRow, column: str, problem: str | None) -> bool:
        if problem is not None:
            self.mistakes.append(Mistake(row.line, column, problem[:1].lower() + problem[1:]))
        return problem is not None

    def _step(self, method: str, *arguments: object) -> None:
        self.steps.append(Step(method, arguments))


def _problem_of_operations(operations: tuple[str, ...]) -> str | None:
    is_right = set(operations) <= set(FLAGS)
    return None if is_right else f"an operation that can be allowed is {' or '.join(FLAGS)}"


_EXTENSION_COLUMNS = ((1, "endpoint"), (2, "context"), (3, "type"))
_CHECKS: dict[str, Callable[[tuple[str, ...]], str | None]] = {
    "operations": _problem_of_operations,
    "classes": names.problem_of_classes,
    "allow": names.problem_of_prefixes,
    "deny": names.problem_of_prefixes,
}


def _read_group(text: str) -> str:
    """Return the site group that a cell names; "none" is no group."""
    return "" if text.lower() == "none" else tidy_group(text)


def _split(text: str) -> tuple[str, ...]:
    """Return the words of a cell; commas separate too, and "none" gives no words."""
    return () if text.lower() == "none" else tuple(text.replace(",", " ").split())
