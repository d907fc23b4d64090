"""Files of environment variables are read as systemd reads them."""

import pytest
from phoneterm_bridge.settings.environment_file import read_variables


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("A=1\nB=2", [("A", "1"), ("B", "2")]),
        ("\n# A=1\n; B=2\n  \nC=3\n", [("C", "3")]),
        ("A=with blanks  \nB= first\n", [("A", "with blanks"), ("B", "first")]),
        ("A=\nB=2\n", [("A", ""), ("B", "2")]),
        ('A="quoted # \\" \\$ \\n"\n', [("A", 'quoted # " $ \\n')]),
        ("A='single \\ \" '\nB=2\n", [("A", 'single \\ " '), ("B", "2")]),
        ("A='two\nlines'\nB=2\n", [("A", "two\nlines"), ("B", "2")]),
        ("A=with#no comment\n", [("A", "with#no comment")]),
        ("A=back\\\\slash\\\nand on\n", [("A", "back\\slashand on")]),
        ("A=ends with\\ \nB=2\n", [("A", "ends with "), ("B", "2")]),
        ("A=one \\", [("A", "one ")]),
        ("A=1\r\nB=2\r\n", [("A", "1"), ("B", "2")]),
        ("A=1\rB=2\r", [("A", "1"), ("B", "2")]),
        (" A = 1\n", [("A", "1")]),
        ('A=in"side\n', [("A", 'in"side')]),
    ],
)
def test_a_variable_is_read_as_systemd_reads_it(text, read):
    assert [(one.name, one.value) for one in read_variables(text)] == read


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("A\nB=2\n", [(1, None), (2, "2")]),
        ("A=1\nexport B=2\nC=3\n", [(1, "1"), (2, None), (3, "3")]),
        ("A='never ends\nB=2\n", [(1, None), (2, "2")]),
        ('A="ends" too early\n', [(1, None)]),
        ("=1\n", [(1, None)]),
        ("A=\\", [(1, "")]),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_passed_over(text, lines):
    assert [(one.line, one.value) for one in read_variables(text)] == lines
