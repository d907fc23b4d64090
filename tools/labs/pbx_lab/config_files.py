"""Writes an Asterisk's configuration from the templates in `config/` and the snippets that PBX administrators copy.

Does not start anything. A template is an ordinary Asterisk file in which `@name@` stands for a value; a name without
a value is our own mistake and raises ValueError. The templates include the snippets, as a real PBX does.
"""

import re
from collections.abc import Mapping
from pathlib import Path

TEMPLATES = Path(__file__).parent / "config"
SNIPPETS = TEMPLATES / "snippets"
_EMPTY = ("acl.conf", "ccss.conf", "pjproject.conf", "udptl.conf")  # Asterisk complains when these are missing
_PLACEHOLDER = re.compile(r"@([a-z_]+)@")


def write_config(folder: Path, values: Mapping[str, str], dialplan: str = "plain") -> None:
    """Write every template and snippet, filled in, into `folder`; the templates of another dialplan replace some."""
    others = () if dialplan == "plain" else sorted((TEMPLATES / dialplan).glob("*.conf"))
    for template in (*sorted(TEMPLATES.glob("*.conf")), *sorted(SNIPPETS.glob("*.conf")), *others):
        (folder / template.name).write_text(fill_in(template.read_text(), values))
    for name in _EMPTY:
        (folder / name).write_text("; defaults\n")


def fill_in(text: str, values: Mapping[str, str]) -> str:
    """Return the template with its placeholders replaced; ValueError names one that has no value."""

    def value_of(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise ValueError(f"the template's @{match[1]}@ has no value")
        return values[match[1]]

    return _PLACEHOLDER.sub(value_of, text)


def read_snippet(name: str) -> str:
    """Return a snippet's text, for a file that Asterisk reads before it knows where to include from."""
    return (SNIPPETS / name).read_text()
