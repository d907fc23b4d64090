"""Removes the docstrings from a module. Does not touch any other text."""

import ast

from firmware_build.slimming.names import Function


def without_docstrings(tree: ast.Module) -> ast.Module:
    """Remove the docstrings: no device keeps them, and their words are not names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | Function):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body[0] = ast.Pass()
    return tree
