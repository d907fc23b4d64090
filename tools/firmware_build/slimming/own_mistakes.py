"""Removes the texts of ValueErrors, which stand for our own mistakes: a device logs only an exception's type and place.

Does not touch constructors: what they refuse may be a mistake in board.py, and then the text is shown at the start.
"""

import ast


class WithoutTexts(ast.NodeTransformer):
    """Makes `raise ValueError` of every `raise ValueError("...")`, except in constructors."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node if node.name == "__init__" else self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        raised = node.exc
        if isinstance(raised, ast.Call) and isinstance(raised.func, ast.Name) and raised.func.id == "ValueError":
            node.exc = raised.func
        return node


def without_texts(tree: ast.Module) -> ast.Module:
    """Remove the texts of a module's ValueErrors."""
    WithoutTexts().visit(tree)
    return tree
