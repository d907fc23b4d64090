"""A store whose file is damaged, as by a failing disk."""

import sqlite3
from contextlib import closing


def damage_table(path, table):
    """Overwrite the first page of a table in a store that nobody has open."""
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT rootpage, page_size FROM sqlite_schema, pragma_page_size WHERE name = ?"
        ((page, size),) = connection.execute(query, (table,))
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
