"""Walks a module and knows at every name what it stands for. Does not change anything; its subclasses do."""

import ast
from collections.abc import Iterable, Mapping

from firmware_build.slimming.names import Function


class Scoped(ast.NodeTransformer):
    """Walks a module and knows for every name whether it stands for one of our modules, or is the module's own."""

    def __init__(self, module: str, trees: Mapping[str, ast.Module]) -> None:
        self._trees = trees
        self._aliases: dict[str, str] = {}  # names that stand for our modules -> their dotted names
        self._hidden: set[str] = set()  # names that a function has bound, so they do not mean the module's
        self._learn(trees[module].body)

    def _learn(self, body: Iterable[ast.AST]) -> None:
        for node in body:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if f"{node.module}.{alias.name}" in self._trees:
                        self._aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def _module_of(self, node: ast.expr) -> str | None:
        """Return which of our modules an expression stands for, or None."""
        if isinstance(node, ast.Name) and node.id not in self._hidden:
            return self._aliases.get(node.id)
        return None

    def _in_function(self, node: Function | ast.Lambda) -> ast.AST:
        """Walk a function; the names that it binds are hidden, and those that it imports are known."""
        aliases, hidden = dict(self._aliases), set(self._hidden)
        inner = list(ast.walk(node))
        bound = {child.id for child in inner if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store)}
        bound |= {child.arg for child in inner if isinstance(child, ast.arg)}
        imports = [child for child in inner if isinstance(child, ast.ImportFrom)]
        names = {alias.asname or alias.name for child in imports for alias in child.names}
        self._hidden |= bound | names
        self._learn(imports)
        self._hidden -= {name for name in names if name in self._aliases}
        self.generic_visit(node)
        self._aliases, self._hidden = aliases, hidden
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._in_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._in_function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._in_function(node)
