"""The build guide says what the code does: every signal with its lamp pattern, every part with its value."""

import re

import pytest
from board_check.board_file import BOARDS, find_boards
from board_check.parts import BUZZER_OHM, LAMP_OHM
from phoneterm.core import outcomes, signals
from phoneterm.core.actions import Show
from phoneterm.core.feedback import Feedback

_GUIDE = (BOARDS / "build_guide.md").read_text()
_ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in _GUIDE.splitlines()
    if re.match(r"\| .* \| `[a-z-]+` \| ", line)
]


def describe(pattern):
    """Return a lamp pattern in the guide's words."""
    steps = [f"{ms} {'off' if index % 2 else 'on'}" for index, ms in enumerate(pattern.steps)]
    if pattern.steps[1] == 0 and pattern.repeats == 0:
        steps = ["on"]
    often = {0: "for ever", 1: "once"}.get(pattern.repeats, f"{pattern.repeats} times")
    return ", ".join([*steps, often])


def rows_of(name):
    return [row for row in _ROWS if row[2] == f"`{name}`"]


def test_the_guide_explains_every_signal_and_no_other():
    assert {row[2].strip("`") for row in _ROWS} == set(signals.NAMES)


@pytest.mark.parametrize("name", signals.NAMES)
def test_the_guide_shows_the_lamp_as_it_is(name):
    assert {row[0] for row in rows_of(name)} == {describe(signals.lamp(name))}


@pytest.mark.parametrize("name", [name for name in signals.NAMES if signals.is_standing(name)])
def test_the_guide_shows_the_display_as_it_is(name):
    lines = [action for action in Feedback().stand(name) if isinstance(action, Show)][-1]
    for line in (lines.line1, lines.line2):
        assert not line or any(f"`{line}`" in row[1] for row in rows_of(name)), line


def test_the_guide_explains_every_reason_of_a_refused_permission():
    (row,) = rows_of("refused-permission")
    words = {words for _, signal, words in outcomes._ROWS if signal == "refused-permission"}
    assert {word for word in words if f"`{word}`" not in row[3]} == set()


def test_the_guide_has_the_parts_that_the_pictures_have():
    assert f"resistor of {LAMP_OHM} ohm" in _GUIDE
    assert f"resistor of {BUZZER_OHM} ohm" in _GUIDE
    for folder in find_boards():
        if folder.name != "VIRTUAL":
            assert f"({folder.name}/wiring.md)" in _GUIDE


@pytest.mark.parametrize("page", sorted(BOARDS.rglob("*.md")), ids=lambda page: str(page.relative_to(BOARDS)))
def test_links_lead_to_files(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).is_file(), f"{page.name}: {target}"
