"""Everything that a page names exists: `make` targets, `phoneterm` commands with their options, files and folders."""

import re
from pathlib import Path

import pytest
import typer
from phoneterm_cli.main import make_app
from typer.core import TyperGroup

_ROOT = Path(__file__).parents[1]
_PAGES = sorted(
    [_ROOT / "README.md", _ROOT / "CONTRIBUTING.md"]
    + [page for folder in ("boards", "tools", "host_tests") for page in (_ROOT / folder).rglob("*.md")]
)
_MAKEFILE = (_ROOT / "Makefile").read_text()
_PHONETERM = typer.main.get_command(make_app())
_PLACES = {
    path.relative_to(_ROOT).as_posix() + "/" * path.is_dir()
    for top in _ROOT.iterdir() if not top.name.startswith(".") and top.name not in ("build", "state")
    for path in [top, *top.rglob("*")] if "__pycache__" not in path.parts
}  # fmt: skip
_ELSEWHERE = {"tools/manifestfile.py", "phoneterm.toml"}  # MicroPython's own; what `phoneterm bridge init` writes
_MADE = "build/"  # for build output
_TARGETS = set(re.findall(r"^([a-z-]+):", _MAKEFILE, re.MULTILINE))


def pieces_of(text):
    """Return the code of a page: the lines of its blocks, and its spans, which may continue over a line's end."""
    blocks = re.findall(r"^```.*?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    indented = re.findall(r"^    (.*)", prose, re.MULTILINE)
    spans = [span.replace("\n", " ") for span in re.findall(r"`([^`]+)`", prose)]
    return [line for block in blocks for line in block.splitlines()] + indented + spans


def named_in(page, program):
    """Return the words after each call of a program, up to a comment or to another command."""
    calls = re.compile(rf"(?:^|[\s;&(\"']){program} ([^#;&)]*)")
    return [call[1].split() for piece in pieces_of(page.read_text()) for call in calls.finditer(piece)]


def wrong_in_make(words):
    """Return the target or variables that are not in the Makefile."""
    targets = [word for word in words[:1] if re.fullmatch(r"[a-z][a-z-]*", word)]
    variables = [word.partition("=")[0] for word in words if targets and re.match(r"[A-Z]+=", word)]
    return [word for word in targets if word not in _TARGETS] + [
        name for name in variables if f"$({name})" not in _MAKEFILE
    ]


def wrong_in_phoneterm(words):
    """Return words that are no command of `phoneterm`, or no option of the command; `a|b` is two of them."""
    commands = [_PHONETERM]
    for word in words:
        if re.match("--?[a-z]", word) and not all(isinstance(command, TyperGroup) for command in commands):
            option, known = word.partition("=")[0], {"--help"}
            known |= {
                name for command in commands for one in command.params for name in (*one.opts, *one.secondary_opts)
            }
            if option not in known:
                return [word]
        elif all(isinstance(command, TyperGroup) for command in commands) and re.fullmatch(r"[a-z][a-z|-]*", word):
            names = word.split("|")
            missing = [name for name in names if name not in commands[0].commands]
            if missing:
                return missing
            commands = [commands[0].commands[name] for name in names]
    return []


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_ROOT)))
def test_the_commands_of_a_page_exist(page):
    wrong = {"make " + " ".join(words): found for words in named_in(page, "make") if (found := wrong_in_make(words))}
    for words in named_in(page, "phoneterm"):
        if found := wrong_in_phoneterm(words):
            wrong["phoneterm " + " ".join(words)] = found
    assert wrong == {}


def missing_in(page):
    """Return the missing files and folders that a page links to, or names by the end of their path."""
    text = page.read_text()
    spans = [piece.strip() for piece in pieces_of(text)]
    named = {span for span in spans if re.fullmatch(r"[\w.-]+(/[\w.-]+)*(\.py|\.md|\.toml|\.yaml|/)", span)}
    missing = {
        name for name in named - _ELSEWHERE
        if not name.startswith(_MADE) and not any(f"/{place}".endswith(f"/{name}") for place in _PLACES)
    }  # fmt: skip
    links = {target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target}
    return missing | {target for target in links if target and not (page.parent / target).exists()}


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_ROOT)))
def test_the_files_of_a_page_exist(page):
    assert missing_in(page) == set()


def test_a_file_that_is_not_there_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("See `core/scanner.py`, `core/scaner.py`, `tools/labs/`, `tools/lab/` and [this](not_there.md).")
    assert missing_in(page) == {"core/scaner.py", "tools/lab/", "not_there.md"}


def test_the_search_finds_what_the_pages_name_and_what_is_wrong():
    guide = _ROOT / "boards" / "build_guide.md"
    assert {"flash", "provision", "rotate", "wipe", "smoke", "logs"} <= {words[0] for words in named_in(guide, "make")}
    assert ["user", "add"] in [words[:2] for words in named_in(guide, "phoneterm")]
    assert wrong_in_make(["flsh"]) == ["flsh"]
    assert wrong_in_make(["flash", "BORD=X"]) == ["BORD"]
    assert wrong_in_phoneterm(["terminal", "grant|forbid", "TID"]) == ["forbid"]
    assert wrong_in_phoneterm(["user", "add", "anna", "--extensoin", "101"]) == ["--extensoin"]
