"""The commands in the project's Markdown pages, as somebody finds them there: in the code below a heading.

Does not run them. What stands in a page for the reader's own (a host's name, a port, a version) is replaced; a command
that is in no page is an error, so that pages and the test that walks them cannot drift apart.
"""

import re

from service.wheels import CHECKOUT

_COMMENT = re.compile(r"\s+# .*$")


class Pages:
    """All pages; `own` is what stands in them for something of the reader, by what the reader has."""

    def __init__(self, own):
        self._own = own

    def find(self, page, heading, command):
        """Return a command of a page with the reader's own words; it must be a line of code below the heading."""
        commands = _read_commands(CHECKOUT / page, heading)
        assert command in commands, f"{page}, {heading!r} has no command {command!r}, but {commands}"
        for word, own in self._own.items():
            command = command.replace(word, own)
        return command


def _read_commands(page, heading):
    """Return the lines of code below a heading, up to the next heading of its level; without prompts and comments."""
    level, is_below, is_fenced, found = 0, False, False, []
    for line in page.read_text().splitlines():
        if line.startswith("```"):
            is_fenced = not is_fenced
        elif not is_fenced and line.startswith("#"):
            marks, _, title = line.partition(" ")
            if is_below and len(marks) <= level:
                break
            if title == heading:
                is_below, level = True, len(marks)
        elif is_below and (is_fenced or line.startswith("    ")):
            found.append(_COMMENT.sub("", line.strip().removeprefix("$ ")))
    assert is_below, f"{page} has no heading {heading!r}"
    return found
