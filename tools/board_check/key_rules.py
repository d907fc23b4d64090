"""Says what is wrong with a board's keypad and names: how many rows and columns, which legends, which roles.

Does not look at pins (`pin_rules.py`). The firmware's own keymap and settings have the last word, so anything that they
would refuse on the device is refused here. Each problem is one sentence.
"""

from collections.abc import Iterator

from phoneterm.core.config import read_config
from phoneterm.core.keymap import Keymap, Roles
from phoneterm.core.messages import Rejected

from board_check.board import ROLE_NAMES, Board

SIDE = 4  # what the firmware scans
_NEEDED = "0123456789*#"  # numbers, and the codes #1 and *2


def find_key_problems(board: Board) -> list[str]:
    """Return a sentence for each thing that is wrong with the name, the matrix, the legends or the roles."""
    problems = [*_name_problems(board), *_matrix_problems(board), *_legend_problems(board)]
    return problems + list(_role_problems(board) if not problems else ())


def _name_problems(board: Board) -> Iterator[str]:
    if board.name != board.folder.name:
        yield f"NAME is {board.name}, and the folder is {board.folder.name}: they must be the same."


def _matrix_problems(board: Board) -> Iterator[str]:
    if len(board.rows) != SIDE:
        yield f"ROWS has {len(board.rows)} pins, and the keypad has {SIDE} rows."
    if len(board.columns) != SIDE:
        yield f"COLUMNS has {len(board.columns)} pins, and the keypad has {SIDE} columns."


def _legend_problems(board: Board) -> Iterator[str]:
    legends = board.legends
    keys = SIDE * SIDE
    twice = sorted({legend for legend in legends if legends.count(legend) > 1})
    missing = "".join(legend for legend in _NEEDED if legend not in legends)
    if len(legends) != keys:
        yield f"LEGENDS has {len(legends)} characters, and the keypad has {keys} keys."
    if twice:
        yield f"LEGENDS has {' and '.join(twice)} more than once: every key has a legend of its own."
    if missing:
        yield f"LEGENDS lacks {' '.join(missing)}: numbers and the codes #1 and *2 need them."
    if len(legends) == keys and not twice and not missing:
        try:
            Keymap(legends)
        except ValueError as error:
            yield f"LEGENDS cannot be used: {error}."


def _role_problems(board: Board) -> Iterator[str]:
    if len(board.roles) != len(ROLE_NAMES):
        yield f"ROLES has {len(board.roles)} legends, and there are {len(ROLE_NAMES)} roles: {', '.join(ROLE_NAMES)}."
        return
    strangers = [role for role in zip(ROLE_NAMES, board.roles, strict=True) if role[1] not in tuple(board.legends)]
    for name, legend in strangers:
        yield f"The {name} key is {legend!r} in ROLES, which is not printed on any key."
    if not strangers:
        config = read_config({}, Roles(*board.roles))
        if isinstance(config, Rejected):
            yield f"ROLES cannot be used: {config.detail}."
