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
    """What a board.py holds: its docstring, its names and their values, its functions with the names of what
    they must be given, and what they import: module -> the names taken from it."""

    docstring: str
    values: dict[str, Any]
    functions: dict[str, list[str]]
    imports: dict[str, set[str]]


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
    functions = {}
    for node in tree.body[1:] if ast.get_docstring(tree) is not None else tree.body:
        if isinstance(node, ast.FunctionDef) and not node.decorator_list:
            functions[node.name] = _parameters(node, place)
        elif isinstance(node, ast.Assign) and all(isinstance(target, ast.Name) for target in node.targets):
            value = _value(node.value, place)
            values |= {target.id: value for target in node.targets if isinstance(target, ast.Name)}
        else:
            raise BoardUnusable(
                f"{place} line {node.lineno} does something at import: it may only set names and define functions."
            )
    return Source(ast.get_docstring(tree) or "", values, functions, _imports(tree))


def _value(node: ast.expr, place: str) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise BoardUnusable(
            f"{place} line {node.lineno} computes a value: write the number, the text or the list itself."
        ) from None


def _parameters(function: ast.FunctionDef, place: str) -> list[str]:
    """Return the names of the parameters that a caller must give; a default is computed at import."""
    taken = function.args
    for default in filter(None, taken.defaults + taken.kw_defaults):
        _value(default, place)
    names = [parameter.arg for parameter in taken.posonlyargs + taken.args]
    names = names[: len(names) - len(taken.defaults)]
    return names + [only.arg for only, default in zip(taken.kwonlyargs, taken.kw_defaults, strict=True) if not default]


def read_classes(path: Path) -> set[str]:
    """Return the names of the classes in a driver's file."""
    return {node.name for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.ClassDef)}


def _imports(tree: ast.Module) -> dict[str, set[str]]:
    """Return the modules that the functions import, each with the names that they take from it."""
    modules: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name: modules.get(alias.name, set()) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules[node.module] = modules.get(node.module, set()) | {alias.name for alias in node.names}
    return modules
