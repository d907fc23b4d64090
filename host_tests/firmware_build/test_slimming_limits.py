"""What slimming cannot follow is refused, with the line and what to write instead."""

import pytest
from firmware_build.slimming.limits import CannotSlim
from firmware_build.slimming.modules import slim


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("_count = 0\ndef add():\n    global _count\n    _count += 1\n", "line 3: global and nonlocal"),
        ("error = 1\ndef read():\n    try:\n        pass\n    except ValueError as error:\n        pass\n",
         "line 5: the exception has the name of something in the module"),
        ("class Base:\n    pass\nclass Link(Base):\n    pass\n", "line 3: a class of ours as a base"),
        ("limit = 3\ndef cut(limit=limit):\n    return limit\n", "line 2: a default that has the name of a parameter"),
        ("def use():\n    from ours.wire import LIMIT\n    return LIMIT\n", "importing the constant LIMIT"),
        ("def call(function):\n    return function(**{'limit': 5})\n", "line 2: keywords in a dict"),
        ("def ask(thing, name):\n    return getattr(thing, 'on_' + name)\n", "line 2: the name of an attribute"),
        ("from collections import namedtuple\nPair = namedtuple('Pair', 'left,right')\n", "line 2: fields of a named"),
    ],
)  # fmt: skip
def test_what_would_come_out_as_something_else_is_refused_with_its_line(source, words):
    with pytest.raises(CannotSlim, match=f"^ours.user, line .*{words.partition(': ')[2]}"):
        slim({"ours.wire": "LIMIT = 40\n", "ours.user": source}, [])
