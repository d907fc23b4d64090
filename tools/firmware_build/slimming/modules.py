"""Rewrites the firmware's modules so that they take less memory on a chip, which keeps every name that it has read.

Does not compile them, and does not change what they do there. All modules are rewritten together:
- a table that is written for people becomes its packed form (`packed_tables.py`);
- the texts of our own mistakes, which a device never shows, are left out (`own_mistakes.py`);
- functions and tables that no other line on the device names are left out: only the bridge or a test uses them;
- a constant of a module (a number, or a text of at most MOST_FOLDED_CHARS) becomes its value wherever it is used, in
  other modules too;
- names that only our own modules use become letters: parameters, attributes and methods, and what a module defines,
  where every use can be followed. Attributes of different classes share letters.
Names that are used from outside stay: in `outside`, the sources that run on the device beside the modules; as keywords;
as texts. An attribute also stays if foreign code has one of the same name (`letters.py`).
"""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from firmware_build.slimming import limits
from firmware_build.slimming.bare_tuples import BareTuples
from firmware_build.slimming.constants import constants_of
from firmware_build.slimming.docstrings import without_docstrings
from firmware_build.slimming.folding import Folding
from firmware_build.slimming.letters import letters_of_members, letters_of_module, shared_letters
from firmware_build.slimming.names import every_name
from firmware_build.slimming.own_mistakes import without_texts
from firmware_build.slimming.packed_tables import pack_tables
from firmware_build.slimming.renaming import Renaming
from firmware_build.slimming.unfollowed_names import UnfollowedNames
from firmware_build.slimming.unused import leave_out_imports, leave_out_unused


@dataclass(frozen=True)
class Slimmed:
    """By the modules' dotted names: their texts, and the letters that their names have become.

    The names do not include parameters: a traceback names only the function.
    """

    texts: dict[str, str]
    names: dict[str, dict[str, str]]


def slim(sources: Mapping[str, str], outside: Iterable[str], *, is_api: bool = False) -> Slimmed:
    """Return the rewritten modules; `sources` has them by their dotted names.

    SyntaxError when one is not Python, CannotSlim for a line that cannot be followed.

    `is_api`: MicroPython itself calls them, so public attributes keep their names.
    """
    trees = {name: without_docstrings(ast.parse(source)) for name, source in sources.items()}
    limits.check(trees)
    for name, tree in trees.items():
        pack_tables(name, tree)
        if not is_api:
            without_texts(tree)
    others = [without_docstrings(ast.parse(source)) for source in outside]
    everything = [*trees.values(), *others]
    leave_out_unused(trees.values(), everything)
    keywords = {
        node.arg for tree in everything for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg
    }
    asked_for = {name for tree in others for node in ast.walk(tree) for name in every_name(node)}
    stay, fixed = set(asked_for), set(asked_for)
    for name, tree in trees.items():
        finder = UnfollowedNames(name, trees)
        finder.visit(tree)
        stay |= finder.found
        fixed |= finder.fixed
    constants = {name: constants_of(tree) for name, tree in trees.items()}
    for name, tree in trees.items():
        Folding(name, trees, constants, stay).visit(tree)
    for tree in trees.values():
        leave_out_imports(tree, stay)
    letters = {name: letters_of_module(tree, stay) for name, tree in trees.items()}
    shared = {} if is_api else shared_letters(trees.values(), fixed | keywords)
    members = {name: {**shared, **letters_of_members(tree, stay, shared)} for name, tree in trees.items()}
    for name, tree in trees.items():
        Renaming(name, trees, letters, members[name], keywords).visit(tree)
    return Slimmed(
        {name: ast.unparse(ast.fix_missing_locations(BareTuples().visit(tree))) for name, tree in trees.items()},
        {name: {**letters[name], **members[name]} for name in trees},
    )
