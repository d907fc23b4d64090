"""Finds the names of a module that stay, because their uses cannot all be followed. Does not rename anything."""

import ast
from collections.abc import Mapping

from firmware_build.slimming.names import defined_names, is_record, is_self
from firmware_build.slimming.scopes import Scoped


class UnfollowedNames(Scoped):
    """Finds the names whose uses cannot all be followed."""

    def __init__(self, module: str, trees: Mapping[str, ast.Module]) -> None:
        super().__init__(module, trees)
        self.found: set[str] = set()
        # Attributes that may be a module's, a text, or set elsewhere.
        self.fixed = set(defined_names(trees[module].body))

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if self._module_of(node.value) is None and not is_self(node.value):
            self.found.add(node.attr)
            if isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
                self.fixed.add(node.attr)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if is_record(node):
            node.args[1:] = [self.visit(argument) for argument in node.args[1:]]
            return node
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str):
            self.found |= set(node.value.split())
            self.fixed |= set(node.value.split())
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        if node.module not in self._trees:
            self.found |= {alias.name for alias in node.names}
        self.found |= {
            alias.asname or alias.name for alias in node.names if f"{node.module}.{alias.name}" in self._trees
        }
        return node

    def visit_Import(self, node: ast.Import) -> ast.AST:
        self.found |= {alias.name.split(".")[0] for alias in node.names}
        return node
