"""Removes the parentheses from values that are assigned to several names at once. Does not change what that does.

With them MicroPython makes a tuple first.
"""

import ast


class BareTuples(ast.NodeTransformer):
    """Removes parentheses from values assigned to several names at once: with them MicroPython makes a tuple first."""

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        parts = node.value.elts if isinstance(node.value, ast.Tuple) else []
        if len(parts) > 1 and all(isinstance(part, ast.Name | ast.Attribute | ast.Constant) for part in parts):
            node.value = ast.Name(", ".join(map(ast.unparse, parts)), ast.Load())
        return node
