"""Replaces the names in one module by letters. Does not choose the letters, except those of parameters."""

import ast
import string
from collections.abc import Mapping

from firmware_build.slimming.letters import short_names
from firmware_build.slimming.names import Function, defined_names, every_name, is_private, is_record, is_self
from firmware_build.slimming.scopes import Scoped


class Renaming(Scoped):
    """Replaces names by letters."""

    def __init__(
        self,
        module: str,
        trees: Mapping[str, ast.Module],
        letters: Mapping[str, Mapping[str, str]],
        members: Mapping[str, str],
        keywords: set[str],
    ) -> None:
        super().__init__(module, trees)
        self._letters, self._members, self._keywords = letters, members, keywords
        self._own = letters[module]
        self._locals: dict[str, str] = {}  # parameters, and what a class body has defined

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        theirs = self._letters.get(node.module or "", {})
        for alias in node.names:
            bound = alias.asname or alias.name
            is_module_level = bound not in self._hidden
            new = self._own.get(bound, bound) if is_module_level else bound
            alias.name = theirs.get(alias.name, alias.name)
            alias.asname = new if new != alias.name else None
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self._own.get(node.name, node.name)
        members = {name: self._members[name] for name in defined_names(node.body) if name in self._members}
        for statement in node.body:
            self._locals = {} if isinstance(statement, Function) else members
            self.visit(statement)
            if isinstance(statement, Function):
                statement.name = members.get(statement.name, statement.name)
        self._locals = {}
        return node

    def _in_function(self, node: Function | ast.Lambda) -> ast.AST:
        """Rename a function's parameters too, unless it contains other functions."""
        outer = self._locals
        inner = [child for child in ast.walk(node) if child is not node]
        if isinstance(node, Function) and not any(isinstance(child, ast.Lambda | Function) for child in inner):
            taken = set().union(*(every_name(child) for child in inner)) | set(self._own.values())
            letters = short_names(string.ascii_lowercase, taken)
            for argument in (*node.args.args, *node.args.kwonlyargs, *filter(None, [node.args.vararg])):
                if argument.arg != "self" and argument.arg not in self._keywords:
                    self._locals = {**self._locals, argument.arg: next(letters)}
        super()._in_function(node)
        self._locals = outer
        return node

    def _name_function(self, node: Function) -> ast.AST:
        is_module_level = node.name not in self._hidden
        self._in_function(node)
        node.name = self._own.get(node.name, node.name) if is_module_level and node.name[:2] != "__" else node.name
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._name_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._name_function(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if is_record(node):
            node.args[0] = ast.Constant(self._own.get(node.args[0].value, node.args[0].value))  # type: ignore[attr-defined]
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self._locals.get(node.arg, node.arg)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self._locals:
            node.id = self._locals[node.id]
        elif node.id not in self._hidden:
            node.id = self._own.get(node.id, node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        module = self._module_of(node.value)
        if module:
            node.attr = self._letters[module].get(node.attr, node.attr)
        elif is_self(node.value) or not is_private(node.attr):
            node.attr = self._members.get(node.attr, node.attr)
        return self.generic_visit(node)
