"""Takes the docstrings out of a module. Leaves every other text where it is."""

import ast

from firmware_build.slimming.names import Function


def without_docstrings(tree: ast.Module) -> ast.Module:
    """Take the docstrings out, which no device keeps: their words are no names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | Function):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body[0] = ast.Pass()
    return tree
