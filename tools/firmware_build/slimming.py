"""Rewrites the firmware's modules so that they take less memory on a chip, which keeps every name that it has read.

Does not compile them, and changes nothing that they do there. What is rewritten, all modules together:
- a table that is written for people becomes what its module packs it to (`packed_tables.py`);
- what no other line on the device names is left out: functions and tables that only the bridge or a test uses;
- a constant of a module (a number, or a text of at most MOST_FOLDED_CHARS) becomes its value wherever it is used, in
  other modules too;
- names that only our own modules use become letters: parameters, attributes and methods, and what a module defines,
  where every use can be followed. Attributes of different classes share letters.
Names that are used from outside stay: by `outside`, the sources that run on the device beside the modules; by keyword;
as texts. An attribute stays, too, if something that is not ours has one of its name (`_FOREIGN` and `_TYPINGS`).
"""

import array
import ast
import asyncio
import collections
import io
import select
import socket
import ssl
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from firmware_build import packed_tables, slimming_limits

MOST_FOLDED_CHARS = 10  # MicroPython keeps such a text once, however often it is used
# What the language and its modules have, as CPython has it too, and what a chip's modules have.
_FOREIGN = (
    array.array, asyncio, asyncio.BaseEventLoop, asyncio.Event, asyncio.Lock, asyncio.StreamReader,
    asyncio.StreamWriter, asyncio.Task, bytearray, bytes, collections, collections.deque,
    collections.OrderedDict, dict, int, io.BytesIO, io.StringIO, list, memoryview, OSError, select.poll(),
    set, socket, socket.socket, ssl, ssl.SSLContext, ssl.SSLSocket, str, tuple,
)  # fmt: skip
_TYPINGS = Path(__file__).parents[1] / "typings"
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Slimmed:
    """By the modules' dotted names: their texts, and the letters that names in them have become.

    Parameters are not among the names: a fault is told by the function that it was in.
    """

    texts: dict[str, str]
    names: dict[str, dict[str, str]]


def slim(sources: Mapping[str, str], outside: Iterable[str], *, is_api: bool = False) -> Slimmed:
    """Return the modules, given by their dotted names, rewritten.

    SyntaxError when one is not Python, CannotSlim for a line that cannot be followed.

    `is_api`: MicroPython itself calls them, so public attributes keep their names.
    """
    trees = {name: _without_docstrings(ast.parse(source)) for name, source in sources.items()}
    slimming_limits.check(trees)
    for name, tree in trees.items():
        packed_tables.pack_tables(name, tree)
    others = [_without_docstrings(ast.parse(source)) for source in outside]
    everything = [*trees.values(), *others]
    _leave_out_unused(trees.values(), everything)
    keywords = {
        node.arg for tree in everything for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg
    }
    asked_for = {name for tree in others for node in ast.walk(tree) for name in _every_name(node)}
    stay, fixed = set(asked_for), set(asked_for)
    for name, tree in trees.items():
        finder = _Finder(name, trees)
        finder.visit(tree)
        stay |= finder.found
        fixed |= finder.fixed
    constants = {name: _constants(tree) for name, tree in trees.items()}
    for name, tree in trees.items():
        _Folding(name, trees, constants, stay).visit(tree)
    for tree in trees.values():
        _leave_out_imports(tree, stay)
    letters = {name: _module_letters(tree, stay) for name, tree in trees.items()}
    shared = {} if is_api else _shared_letters(trees.values(), fixed | keywords)
    members = {name: {**shared, **_member_letters(tree, stay, shared)} for name, tree in trees.items()}
    for name, tree in trees.items():
        _Renaming(name, trees, letters, members[name], keywords).visit(tree)
    return Slimmed(
        {name: ast.unparse(ast.fix_missing_locations(_Bare().visit(tree))) for name, tree in trees.items()},
        {name: {**letters[name], **members[name]} for name in trees},
    )


class _Bare(ast.NodeTransformer):
    """Keeps parentheses from what is assigned to several names at once: with them MicroPython makes a tuple first."""

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        parts = node.value.elts if isinstance(node.value, ast.Tuple) else []
        if len(parts) > 1 and all(isinstance(part, ast.Name | ast.Attribute | ast.Constant) for part in parts):
            node.value = ast.Name(", ".join(map(ast.unparse, parts)), ast.Load())
        return node


def _without_docstrings(tree: ast.Module) -> ast.Module:
    """Take the docstrings out, which no device keeps: their words are no names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | _Function):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body[0] = ast.Pass()
    return tree


def _leave_out_unused(modules: Iterable[ast.Module], everything: list[ast.Module]) -> None:
    """Take out of the modules, again and again, the functions and tables that nothing names."""
    is_changed = True
    while is_changed:
        is_changed = False
        used = {name for tree in everything for node in ast.walk(tree) for name in _names_used(node)}
        for tree in modules:
            for node in ast.walk(tree):
                if isinstance(node, ast.Module | ast.ClassDef):
                    body = [statement for statement in node.body if not _is_unused(statement, used)]
                    is_changed = is_changed or len(body) < len(node.body)
                    node.body = body or [ast.Pass()]


def _is_unused(statement: ast.stmt, used: set[str]) -> bool:
    if isinstance(statement, ast.ClassDef | _Function):
        name = statement.name
    elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        name = statement.targets[0].id
    else:
        return False
    return not name.startswith("__") and name not in used  # what begins so, the language uses


def _names_used(node: ast.AST) -> set[str]:
    """Return the names that a node uses, texts included, and not those that it defines."""
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load) else set()
    if isinstance(node, ast.Constant):
        return {node.value} if isinstance(node.value, str) else set()
    return _every_name(node) if isinstance(node, ast.Attribute | ast.alias | ast.keyword) else set()


def _every_name(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, ast.Attribute):
        return {node.attr}
    if isinstance(node, ast.alias | ast.ClassDef | _Function):
        return {node.name}
    if isinstance(node, ast.keyword | ast.arg) and node.arg:
        return {node.arg}
    return set()


def _defined(body: Iterable[ast.stmt]) -> list[str]:
    """Return the names that the statements of a module or class define, imports aside."""
    found = []
    for node in body:
        if isinstance(node, ast.ClassDef | _Function):
            found.append(node.name)
        elif isinstance(node, ast.Assign):
            found += [inner.id for target in node.targets for inner in ast.walk(target) if isinstance(inner, ast.Name)]
    return found


def _constants(tree: ast.Module) -> dict[str, ast.Constant]:
    """Return the constants of a module: names in capitals that are bound once, to a number or a short text."""
    bound = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name, value = node.targets[0].id, _constant(node.value)
            if value is not None and name.isupper() and bound.count(name) == 1:
                found[name] = value
    return found


def _constant(node: ast.expr) -> ast.Constant | None:
    """Return the constant that an expression is, if it is one to be folded."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "const":
        node = node.args[0]
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    if isinstance(value, int) or (isinstance(value, str) and len(value) <= MOST_FOLDED_CHARS):
        return ast.Constant(value)
    return None


def _letters(alphabet: str, taken: set[str]) -> Iterator[str]:
    """Yield short names that are not taken."""
    for prefix in ("", *alphabet):
        for letter in alphabet:
            if prefix + letter not in taken:
                yield prefix + letter


def _leave_out_imports(tree: ast.Module, stay: set[str]) -> None:
    """Take out what a module imports by name and does not use any more, as its constants are values now."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom):
            statement.names = [alias for alias in statement.names if (alias.asname or alias.name) in used | stay]
    tree.body = [statement for statement in tree.body if not isinstance(statement, ast.ImportFrom) or statement.names]


def _module_letters(tree: ast.Module, stay: set[str]) -> dict[str, str]:
    """Return the letters of what a module defines or imports by name."""
    taken = stay.union(*(_every_name(node) for node in ast.walk(tree)))
    imported = [alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom)
                for alias in node.names]  # fmt: skip
    names = dict.fromkeys(name for name in (*_defined(tree.body), *imported) if name not in stay)
    return dict(zip(names, _letters(string.ascii_uppercase + string.ascii_lowercase, taken), strict=False))


def _members(tree: ast.AST) -> list[str]:
    """Return the names of attributes and methods of the class or the classes in a tree."""
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _is_self(node.value):
            found.append(node.attr)
        elif isinstance(node, ast.ClassDef):
            found += _defined(node.body)
    return found


def _is_private(name: str) -> bool:
    return name[0] == "_" != name[1]


def _shared_letters(trees: Iterable[ast.Module], fixed: set[str]) -> dict[str, str]:
    """Return the letters of the public attributes and methods of our classes: no two of one class have the same."""
    classes = [_members(node) for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    foreign = fixed.union(*(dir(one) for one in _FOREIGN))
    for path in _TYPINGS.glob("*.pyi"):
        foreign |= {name for node in ast.walk(ast.parse(path.read_text())) for name in _every_name(node)}
    letters: dict[str, str] = {}
    for members in classes:
        for name in members:
            if name not in foreign and name not in letters and not name.startswith("_"):
                near = {letters[other] for one in classes if name in one for other in one if other in letters}
                letters[name] = next(_letters(string.ascii_letters, near | foreign))
    return letters


def _member_letters(tree: ast.Module, stay: set[str], shared: Mapping[str, str]) -> dict[str, str]:
    """Return the letters of the private attributes and methods of a module's classes."""
    found = _members(tree)
    taken = stay.union(*(_every_name(node) for node in ast.walk(tree)))
    taken |= {shared[name] for name in found if name in shared}
    names = dict.fromkeys(name for name in found if _is_private(name) and name not in stay)
    return dict(zip(names, _letters(string.ascii_letters, taken), strict=False))


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _is_record(node: ast.Call) -> bool:
    """Say whether a call makes a named tuple, whose name is a text that nobody compares."""
    return isinstance(node.func, ast.Name) and node.func.id == "namedtuple" and isinstance(node.args[0], ast.Constant)


class _Scoped(ast.NodeTransformer):
    """Walks a module and knows at every name whether it stands for one of our modules, or is the module's own."""

    def __init__(self, module: str, trees: Mapping[str, ast.Module]) -> None:
        self._trees = trees
        self._aliases: dict[str, str] = {}  # names that stand for our modules -> their dotted names
        self._hidden: set[str] = set()  # names that a function has bound, so they are not the module's
        self._learn(trees[module].body)

    def _learn(self, body: Iterable[ast.AST]) -> None:
        for node in body:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if f"{node.module}.{alias.name}" in self._trees:
                        self._aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def _module_of(self, node: ast.expr) -> str | None:
        """Return which of our modules an expression is, or None."""
        if isinstance(node, ast.Name) and node.id not in self._hidden:
            return self._aliases.get(node.id)
        return None

    def _in_function(self, node: _Function | ast.Lambda) -> ast.AST:
        """Walk a function with what it binds hidden, and what it imports known."""
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


class _Finder(_Scoped):
    """Finds the names whose uses cannot all be followed."""

    def __init__(self, module: str, trees: Mapping[str, ast.Module]) -> None:
        super().__init__(module, trees)
        self.found: set[str] = set()
        self.fixed = set(
            _defined(trees[module].body)
        )  # of attributes: what may be a module's, a text, or set elsewhere

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if self._module_of(node.value) is None and not _is_self(node.value):
            self.found.add(node.attr)
            if isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
                self.fixed.add(node.attr)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if _is_record(node):
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


class _Folding(_Scoped):
    """Puts the values in the place of constants."""

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


class _Renaming(_Scoped):
    """Puts the letters in the place of the names."""

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
        members = {name: self._members[name] for name in _defined(node.body) if name in self._members}
        for statement in node.body:
            self._locals = {} if isinstance(statement, _Function) else members
            self.visit(statement)
            if isinstance(statement, _Function):
                statement.name = members.get(statement.name, statement.name)
        self._locals = {}
        return node

    def _in_function(self, node: _Function | ast.Lambda) -> ast.AST:
        """Rename a function's parameters too, unless there are functions in it."""
        outer = self._locals
        inner = [child for child in ast.walk(node) if child is not node]
        if isinstance(node, _Function) and not any(isinstance(child, ast.Lambda | _Function) for child in inner):
            taken = set().union(*(_every_name(child) for child in inner)) | set(self._own.values())
            letters = _letters(string.ascii_lowercase, taken)
            for argument in (*node.args.args, *node.args.kwonlyargs, *filter(None, [node.args.vararg])):
                if argument.arg != "self" and argument.arg not in self._keywords:
                    self._locals = {**self._locals, argument.arg: next(letters)}
        super()._in_function(node)
        self._locals = outer
        return node

    def _name_function(self, node: _Function) -> ast.AST:
        is_module_level = node.name not in self._hidden
        self._in_function(node)
        node.name = self._own.get(node.name, node.name) if is_module_level and node.name[:2] != "__" else node.name
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._name_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._name_function(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if _is_record(node):
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
        elif _is_self(node.value) or not _is_private(node.attr):
            node.attr = self._members.get(node.attr, node.attr)
        return self.generic_visit(node)
