"""Which letters the names of our modules become. Does not rename anything (`renaming.py` does).

An attribute's letter is the same in all modules, and no two attributes of one class have the same. A name that is also
used by foreign code stays: _FOREIGN and _TYPINGS say which names these are.
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
from pathlib import Path

from firmware_build.slimming.names import defined_names, every_name, is_private, members_of

# The names in the language and its modules, as far as CPython has them too, and the names in a chip's modules.
_FOREIGN = (
    array.array, asyncio, asyncio.BaseEventLoop, asyncio.Event, asyncio.Lock, asyncio.StreamReader,
    asyncio.StreamWriter, asyncio.Task, bytearray, bytes, collections, collections.deque,
    collections.OrderedDict, dict, int, io.BytesIO, io.StringIO, list, memoryview, OSError, select.poll(),
    set, socket, socket.socket, ssl, ssl.SSLContext, ssl.SSLSocket, str, tuple,
)  # fmt: skip
_TYPINGS = Path(__file__).parents[2] / "typings"


def letters_of_module(tree: ast.Module, stay: set[str]) -> dict[str, str]:
    """Return the letters for the names that a module defines or imports by name."""
    taken = stay.union(*(every_name(node) for node in ast.walk(tree)))
    imported = [alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom)
                for alias in node.names]  # fmt: skip
    names = dict.fromkeys(name for name in (*defined_names(tree.body), *imported) if name not in stay)
    return dict(zip(names, short_names(string.ascii_uppercase + string.ascii_lowercase, taken), strict=False))


def shared_letters(trees: Iterable[ast.Module], fixed: set[str]) -> dict[str, str]:
    """Return the letters for the public attributes and methods of our classes: no two of one class have the same."""
    classes = [members_of(node) for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    foreign = fixed.union(*(dir(one) for one in _FOREIGN))
    for path in _TYPINGS.glob("*.pyi"):
        foreign |= {name for node in ast.walk(ast.parse(path.read_text())) for name in every_name(node)}
    letters: dict[str, str] = {}
    for members in classes:
        for name in members:
            if name not in foreign and name not in letters and not name.startswith("_"):
                near = {letters[other] for one in classes if name in one for other in one if other in letters}
                letters[name] = next(short_names(string.ascii_letters, near | foreign))
    return letters


def letters_of_members(tree: ast.Module, stay: set[str], shared: Mapping[str, str]) -> dict[str, str]:
    """Return the letters for the private attributes and methods of a module's classes."""
    found = members_of(tree)
    taken = stay.union(*(every_name(node) for node in ast.walk(tree)))
    taken |= {shared[name] for name in found if name in shared}
    names = dict.fromkeys(name for name in found if is_private(name) and name not in stay)
    return dict(zip(names, short_names(string.ascii_letters, taken), strict=False))


def short_names(alphabet: str, taken: set[str]) -> Iterator[str]:
    """Yield short names that are not taken."""
    for prefix in ("", *alphabet):
        for letter in alphabet:
            if prefix + letter not in taken:
                yield prefix + letter
