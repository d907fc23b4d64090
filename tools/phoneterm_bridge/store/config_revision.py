"""The revision of the terminals' configuration; it rises whenever the text changes. Does not know what is in it."""

import sqlalchemy as sa

from phoneterm_bridge.store import tables
from phoneterm_bridge.store.database import writing


def raise_config_revision(engine: sa.Engine, config_text: str) -> int:
    """Raise the revision if this text is not the one last used, and return it."""
    with engine.connect() as connection:
        row = connection.execute(sa.select(tables.state)).one()
    if row.config_text == config_text:
        return row.config_revision
    with writing(engine) as connection:
        raised = tables.state.update().values(config_text=config_text, config_revision=row.config_revision + 1)
        connection.execute(raised)
    return row.config_revision + 1
