"""Replaces constants by their values, in all modules. Does not decide which those are (`constants.py` does)."""

import ast
from collections.abc import Mapping

from firmware_build.slimming.scopes import Scoped


class Folding(Scoped):
    """Replaces constants by their values."""

    def __init__(
        self,
        module: str,
        trees: Mapping[str, ast.Module],
        constants: Mapping[str, Mapping[str, ast.Constant]],
        stay: set[str],
    ) -> None:
        super().__init__(module, trees)
        self._constants, self._stay = constants, stay
        self._own = dict(constants[module])
        self._left_out = set(self._own) - stay
        for node in trees[module].body:
            if isinstance(node, ast.ImportFrom):
                theirs = constants.get(node.module or "", {})
                self._own |= {alias.asname or alias.name: theirs[alias.name] for alias in node.names
                              if alias.name in theirs}  # fmt: skip

    def visit_Module(self, node: ast.Module) -> ast.AST:
        self.generic_visit(node)
        if not any(isinstance(inner, ast.Name) and inner.id == "const" for inner in ast.walk(node)):
            node.body = [statement for statement in node.body if getattr(statement, "module", "") != "micropython"]
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        theirs = self._constants.get(node.module or "", {})
        node.names = [alias for alias in node.names if alias.name not in theirs]
        return node if node.names else None

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        target = node.targets[0]
        if isinstance(target, ast.Name) and target.id in self._left_out and target.id not in self._hidden:
            return None
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        is_ours = isinstance(node.ctx, ast.Load) and node.id not in self._hidden
        return self._own.get(node.id, node) if is_ours else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        module = self._module_of(node.value)
        value = self._constants[module].get(node.attr) if module else None
        return value or self.generic_visit(node)
