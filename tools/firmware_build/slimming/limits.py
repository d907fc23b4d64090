"""Finds the lines of Python that the slimming of modules cannot handle, so that none of them reaches a device broken.

Does not rewrite anything. Slimming would change the meaning of such a line: a name would become a letter in one place
and not in another. There is always an equivalent that works, and the sentence names it.
"""

import ast
from collections.abc import Iterator, Mapping


class CannotSlim(Exception):
    """A module has a line that the slimming cannot handle; the sentence names both."""


def check(trees: Mapping[str, ast.Module]) -> None:
    """Refuse modules, given by their dotted names, with a line that cannot be handled."""
    for module, tree in trees.items():
        defined = {name for node in tree.body for name in _defined(node)}
        for node in ast.walk(tree):
            for what in _objections(node, defined, trees):
                raise CannotSlim(f"{module}, line {getattr(node, 'lineno', 0)}: {what}.")


def _defined(node: ast.stmt) -> list[str]:
    """Return the names that a statement of a module defines, including imported names."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [inner.id for target in node.targets for inner in ast.walk(target) if isinstance(inner, ast.Name)]
    if isinstance(node, ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    return []


def _objections(node: ast.AST, defined: set[str], trees: Mapping[str, ast.Module]) -> Iterator[str]:
    if isinstance(node, ast.Global | ast.Nonlocal):
        yield "global and nonlocal are not followed; keep the value in an object"
    elif isinstance(node, ast.ExceptHandler) and node.name in defined:
        yield f"the exception has the name of something in the module ({node.name}); give it another"
    elif isinstance(node, ast.ClassDef):
        yield from _objections_to_class(node, defined)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        yield from _objections_to_function(node, trees)
    elif isinstance(node, ast.Call):
        yield from _objections_to_call(node)


def _objections_to_class(node: ast.ClassDef, defined: set[str]) -> Iterator[str]:
    for base in node.bases:
        if not isinstance(base, ast.Name) or base.id in defined:
            yield "a class of ours as a base is not followed; hold an object of it instead"


def _objections_to_function(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, trees: Mapping[str, ast.Module]
) -> Iterator[str]:
    parameters = {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}
    for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
        if parameters & {inner.id for inner in ast.walk(default) if isinstance(inner, ast.Name)}:
            yield "a default that has the name of a parameter is not followed; give one of them another"
    for inner in ast.walk(node):
        if isinstance(inner, ast.ImportFrom) and inner.module in trees:
            for alias in inner.names:
                if alias.name.isupper():
                    yield f"importing the constant {alias.name} within a function is not followed; import its module"


def _objections_to_call(node: ast.Call) -> Iterator[str]:
    if any(keyword.arg is None and isinstance(keyword.value, ast.Dict) for keyword in node.keywords):
        yield "keywords in a dict are not followed; write them out"
    called = node.func.id if isinstance(node.func, ast.Name) else ""
    if called in ("getattr", "setattr", "hasattr", "delattr"):
        is_put_together = any(isinstance(inner, ast.BinOp | ast.JoinedStr) for inner in ast.walk(node.args[1]))
        if is_put_together:
            yield "the name of an attribute that is put together is not followed; write it out"
    if called == "namedtuple" and len(node.args) > 1:
        fields = node.args[1]
        if isinstance(fields, ast.Constant) and "," in str(fields.value):
            yield "fields of a named tuple are followed with spaces between them, not commas"
