"""Which names the nodes of a module use and define. Does not know other modules and changes nothing."""

import ast
from collections.abc import Iterable

Function = ast.FunctionDef | ast.AsyncFunctionDef


def names_used(node: ast.AST) -> set[str]:
    """Return the names that a node uses, texts included, but not those that it defines."""
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load) else set()
    if isinstance(node, ast.Constant):
        return {node.value} if isinstance(node.value, str) else set()
    return every_name(node) if isinstance(node, ast.Attribute | ast.alias | ast.keyword) else set()


def every_name(node: ast.AST) -> set[str]:
    """Return the name that a node itself uses or defines, if any; texts do not count."""
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, ast.Attribute):
        return {node.attr}
    if isinstance(node, ast.alias | ast.ClassDef | Function):
        return {node.name}
    if isinstance(node, ast.keyword | ast.arg) and node.arg:
        return {node.arg}
    return set()


def defined_names(body: Iterable[ast.stmt]) -> list[str]:
    """Return the names that the statements of a module or class define, imports aside."""
    found = []
    for node in body:
        if isinstance(node, ast.ClassDef | Function):
            found.append(node.name)
        elif isinstance(node, ast.Assign):
            found += [inner.id for target in node.targets for inner in ast.walk(target) if isinstance(inner, ast.Name)]
    return found


def members_of(tree: ast.AST) -> list[str]:
    """Return the names of the attributes and methods of all classes in a tree."""
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_self(node.value):
            found.append(node.attr)
        elif isinstance(node, ast.ClassDef):
            found += defined_names(node.body)
    return found


def is_self(node: ast.expr) -> bool:
    """Return whether an expression is the object of its method (self)."""
    return isinstance(node, ast.Name) and node.id == "self"


def is_private(name: str) -> bool:
    """Return whether a name is private to its class; the language's own (`__call__`) are not."""
    return name[0] == "_" != name[1]


def is_record(node: ast.Call) -> bool:
    """Return whether a call makes a named tuple; its name is a text that nobody compares."""
    return isinstance(node.func, ast.Name) and node.func.id == "namedtuple" and isinstance(node.args[0], ast.Constant)
