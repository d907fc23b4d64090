"""Packs readable tables while the firmware is built, so that a chip keeps only the packed form.

Does not know any table. A module writes its table for people, and packs it itself: `_TABLE = _pack(_ROWS)`. Here the
call is replaced by its result, a text or a number. Nothing then uses the rows and `_pack`, so `unused.py` leaves them
out. On a computer the module packs the same rows when it is imported, so both run on the same text.
"""

import ast
from collections.abc import Iterable

from firmware_build.slimming.limits import CannotSlim

_PACK = "_pack"


def pack_tables(name: str, tree: ast.Module) -> None:
    """Replace calls of `_pack` in a module's assignments by their values."""
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and _is_packing(statement.value):
            statement.value = ast.Constant(_evaluate(name, statement, tree.body))


def _is_packing(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == _PACK


def _evaluate(name: str, packing: ast.Assign, body: Iterable[ast.stmt]) -> str | int:
    """Evaluate a call with the module's own constants and functions, without imports."""
    names: dict = {}
    try:
        for statement in body:
            if isinstance(statement, ast.Assign | ast.FunctionDef) and statement.lineno <= packing.lineno:
                _run(statement, names)
        value = names[ast.unparse(packing.targets[0])]
    except Exception as error:
        raise CannotSlim(f"{name}, line {packing.lineno}: the table cannot be packed: {error}.") from None
    if not isinstance(value, str | int):
        raise CannotSlim(f"{name}, line {packing.lineno}: a packed table is a text or a number.")
    return value


def _run(statement: ast.stmt, names: dict) -> None:
    module = ast.fix_missing_locations(ast.Module([statement], []))
    exec(compile(module, "packed table", "exec"), names)  # noqa: S102 - our own sources, meant to run on a chip
