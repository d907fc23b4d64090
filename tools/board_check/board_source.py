"""Reads the names that a `board.py` sets, without running it, because it needs MicroPython.

Does not know which names are required; `board_file.py` does. A board.py may hold a docstring, names set to plain
values, and functions. Anything else would run at import, before the device is set up, and is refused.
"""

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class BoardUnusable(Exception):
    """A board's folder cannot be read; the sentence names the file and the remedy."""


@dataclass(frozen=True)
class Source:
    """What a board.py holds: its docstring, its names and their values, its functions, and what those import."""

    docstring: str
    values: dict[str, Any]
    functions: frozenset[str]
    imports: frozenset[str]


def read_source(path: Path) -> Source:
    """Return the contents of the file; BoardUnusable names a line that is not allowed."""
    place = f"{path.parent.name}/{path.name}"
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BoardUnusable(f"There is no {place}: copy one from another board's folder.") from None
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        raise BoardUnusable(f"{place} cannot be read: {error}.") from None
    except SyntaxError as error:
        raise BoardUnusable(f"{place} line {error.lineno} is not Python: {error.msg}.") from None
    values: dict[str, Any] = {}
    functions = set()
    for node in tree.body[1:] if ast.get_docstring(tree) is not None else tree.body:
        if isinstance(node, ast.FunctionDef) and not node.decorator_list:
            functions.add(node.name)
        elif isinstance(node, ast.Assign) and all(isinstance(target, ast.Name) for target in node.targets):
            value = _value(node, place)
            values |= {target.id: value for target in node.targets if isinstance(target, ast.Name)}
        else:
            raise BoardUnusable(
                f"{place} line {node.lineno} does something at import: it may only set names and define functions."
            )
    return Source(ast.get_docstring(tree) or "", values, frozenset(functions), frozenset(_imports(tree)))


def _value(node: ast.Assign, place: str) -> Any:
    try:
        return ast.literal_eval(node.value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise BoardUnusable(
            f"{place} line {node.lineno} computes a value: write the number, the text or the list itself."
        ) from None


def _imports(tree: ast.Module) -> set[str]:
    """Return the modules that the functions import."""
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
    return modules
