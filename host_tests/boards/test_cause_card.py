"""The build guide's card of causes is the firmware's table."""

from pathlib import Path

from phoneterm.core.causes import TABLE, lamp_steps

_GUIDE = (Path(__file__).parents[2] / "boards" / "build_guide.md").read_text()


def card():
    """Return the rows that the card must have."""
    for row in TABLE.strip().split("\n"):
        number, word, line1, line2, sentence = row.split("|")
        tens, units = map(int, number)
        lamp = " ".join(["long"] * tens + ["short"] * units)
        yield f"| {lamp} | `{line1}`, `{line2}` | `{word} ({number})` | {sentence} |"


def test_the_card_has_every_cause_and_no_other():
    section = _GUIDE.partition("### Why there is no link\n")[2].partition("\n### ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    assert rows[2:] == list(card())


def test_the_card_says_how_long_a_flash_is():
    words = " ".join(_GUIDE.split())
    assert f"A long flash is {lamp_steps(11)[0]} ms, a short one {lamp_steps(11)[2]} ms." in words
