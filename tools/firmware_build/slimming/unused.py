"""Removes from the modules what nothing names: functions, tables and imports. Does not follow what a name stands for.

So everything with the same name as something in use stays.
"""

import ast
from collections.abc import Iterable

from firmware_build.slimming.names import Function, names_used


def leave_out_unused(modules: Iterable[ast.Module], everything: list[ast.Module]) -> None:
    """Remove the functions and tables that nothing names from the modules, repeatedly until none is left."""
    is_changed = True
    while is_changed:
        is_changed = False
        used = {name for tree in everything for node in ast.walk(tree) for name in names_used(node)}
        for tree in modules:
            for node in ast.walk(tree):
                if isinstance(node, ast.Module | ast.ClassDef):
                    body = [statement for statement in node.body if not _is_unused(statement, used)]
                    is_changed = is_changed or len(body) < len(node.body)
                    node.body = body or [ast.Pass()]


def _is_unused(statement: ast.stmt, used: set[str]) -> bool:
    if isinstance(statement, ast.ClassDef | Function):
        name = statement.name
    elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        name = statement.targets[0].id
    else:
        return False
    return not name.startswith("__") and name not in used  # the language itself uses such names


def leave_out_imports(tree: ast.Module, stay: set[str]) -> None:
    """Remove what a module imports by name but no longer uses, because its constants are values now."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom):
            statement.names = [alias for alias in statement.names if (alias.asname or alias.name) in used | stay]
    tree.body = [statement for statement in tree.body if not isinstance(statement, ast.ImportFrom) or statement.names]
