"""Compiles a text into a DigitMap, and has the default map.

Does not keep anything: a terminal loads this module only to read a config. `digit_map_text.py` reads the text and
`digit_map_proof.py` proves that it is unambiguous. The proof runs where maps are made, in the bridge and
`phoneterm digit-map check`. A terminal has no room for it, and takes only maps that the bridge has proved and signed.
A bad map is Rejected("digit-map", "position N: ..."), N counting from 1.
"""

from phoneterm.core.digit_map import DigitMap
from phoneterm.core.messages import Rejected

DEFAULT_MAP = (
    "internal:1xx|national:0[1-9]x.T|national:0[1-9]x.#|international:00[1-9]x.T|international:00[1-9]x.#"
)  # fmt: skip


def compile_map(text, taken="", is_proved=False):
    """Return the DigitMap of a text, or Rejected; `taken` are the legends that have another use during dialling.

    `is_proved`: the proof has been done elsewhere, and the map was signed.
    """
    from phoneterm.core.digit_map_text import Mistake, parse_map

    try:
        digit_map = DigitMap(parse_map(text, taken))
        if not is_proved:
            from phoneterm.core.digit_map_proof import prove

            prove(digit_map)
    except Mistake as mistake:
        return Rejected("digit-map", "position %d: %s" % mistake.args)
    return digit_map


def compile_document(document, roles):
    """Return the DigitMap of a config document ({}: the default one), which the bridge has proved, or Rejected.

    `roles` are those of the document; roles that it leaves out are the board's.
    """
    # A commit key that is # does what # does in a map; every other role would take the key away from the number.
    taken = "".join(roles[1:]) + roles[0].replace("#", "")
    return compile_map(document.get("digit_map") or DEFAULT_MAP, taken, True)
