"""What a shell offers for the names of boards. Judges none."""

from board_check.board_file import find_boards


def complete_board(incomplete: str) -> list[str]:
    """Return the names that begin so."""
    return [folder.name for folder in find_boards() if folder.name.startswith(incomplete)]
