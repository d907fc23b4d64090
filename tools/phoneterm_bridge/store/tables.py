"""The tables of the store in its present schema. Does not create or change them: the migrations do.

Times are milliseconds since 1970 (UTC). `commands` and `journal` are append-only, which triggers enforce, and `journal`
is a hash chain (`journal_chain`). In the view `lines` every line of it is a row of its own. `open_commands` is the
short list of commands that have no final result yet. `commands_by_extension` is an index of `commands` that is updated
from time to time: commands beyond the entry in `commands_indexed` must be looked for in `commands` itself. In
`requests` the command line asks something of the running bridge; no row is older than a few minutes. `troubles` is what
that bridge knows to be wrong with terminals, `sightings` what it last saw of each. `accounts` and `tokens` are those of
the operator's console; nothing reads `console_key` any more. `pbx_permissions` is what a PBX said last of users and
extensions, if it is the one to say it.
"""

import sqlalchemy as sa

metadata = sa.MetaData()

# One row: the revision, which rises with every change of the directory; the terminals' configuration text; whether
# external transfers are revoked for the whole site, and when that last changed; which PBX says who is multi user aware
# ("" for none: the store itself does), why it does not tell at present ("" when it does), and since when.
state = sa.Table(
    "state",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("config_text", sa.Text, nullable=False),
    sa.Column("config_revision", sa.Integer, nullable=False),
    sa.Column("external_revoked", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("external_since_ms", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("permission_source", sa.String(16), nullable=False, server_default=""),
    sa.Column("source_trouble", sa.Text, nullable=False, server_default=""),
    sa.Column("source_trouble_ms", sa.BigInteger, nullable=False, server_default="0"),
)
users = sa.Table(
    "users",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("multi_user_aware", sa.Boolean, nullable=False),
)
extensions = sa.Table(
    "extensions",
    metadata,
    sa.Column("number", sa.String(32), primary_key=True),
    sa.Column("endpoint", sa.String(64), nullable=False),
    sa.Column("context", sa.String(64), nullable=False),
    sa.Column("type", sa.String(16), nullable=False),
    sa.Column("user", sa.ForeignKey("users.name"), nullable=False),
)
terminals = sa.Table(
    "terminals",
    metadata,
    sa.Column("tid", sa.String(32), primary_key=True),
    sa.Column("extension", sa.ForeignKey("extensions.number"), nullable=False),
    sa.Column("password_hash", sa.String(128), nullable=False),
    sa.Column("mosquitto_hash", sa.String(160)),  # NULL for a terminal enrolled before this column existed
    sa.Column("mac_key", sa.LargeBinary, nullable=False),
    sa.Column("revoked", sa.Boolean, nullable=False),
    sa.Column("added_ms", sa.BigInteger, nullable=False),
    sa.Column("site_group", sa.String(64), nullable=False, server_default=""),  # empty for none
)
permissions = sa.Table(
    "permissions",
    metadata,
    sa.Column("tid", sa.ForeignKey("terminals.tid"), primary_key=True),
    sa.Column("blind", sa.Boolean, nullable=False),
    sa.Column("attended", sa.Boolean, nullable=False),
    # Names, or prefixes of numbers, joined by commas.
    sa.Column("classes", sa.Text, nullable=False),
    sa.Column("allow_prefixes", sa.Text, nullable=False, server_default=""),
    sa.Column("deny_prefixes", sa.Text, nullable=False, server_default=""),
)
commands = sa.Table(
    "commands",
    metadata,
    sa.Column("entry", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("tid", sa.String(32), nullable=False),
    sa.Column("command_id", sa.String(32)),  # NULL when the message, and so its id, is not authentic
    sa.Column("received_ms", sa.BigInteger, nullable=False),
    sa.Column("extension", sa.String(32), nullable=False),
    sa.Column("op", sa.String(16)),
    sa.Column("number", sa.String(32)),
    sa.Column("call", sa.String(64)),
)
commands_by_extension = sa.Table(
    "commands_by_extension",
    metadata,
    sa.Column("extension", sa.String(32), primary_key=True),
    sa.Column("received_ms", sa.BigInteger, primary_key=True),
    sa.Column("entry", sa.BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)
# One row: every command up to this entry is in the index.
commands_indexed = sa.Table(
    "commands_indexed",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("entry", sa.BigInteger, nullable=False),
)
journal = sa.Table(
    "journal",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    # NULL for a change of the directory
    sa.Column("entry", sa.BigInteger, sa.ForeignKey("commands.entry"), index=True),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("stage", sa.String(16), nullable=False),  # keyed, received, check, action, event, result, change, lines
    sa.Column("word", sa.String(32), nullable=False),
    sa.Column("reason", sa.String(32)),
    sa.Column("detail", sa.Text),  # JSON
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Index("ix_journal_changes", "at_ms", sqlite_where=sa.text("stage = 'change'")),
)
# A view with a row for every line of the journal: `part` is the line's place in its journal row.
lines = sa.Table(
    "lines",
    sa.MetaData(),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("part", sa.Integer, nullable=False),
    sa.Column("entry", sa.BigInteger, sa.ForeignKey(commands.c.entry)),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("stage", sa.String(16), nullable=False),
    sa.Column("word", sa.String(32), nullable=False),
    sa.Column("reason", sa.String(32)),
    sa.Column("detail", sa.Text),
)
# One row: the last row of the journal.
journal_head = sa.Table(
    "journal_head",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)
open_commands = sa.Table(
    "open_commands",
    metadata,
    sa.Column("entry", sa.Integer, sa.ForeignKey("commands.entry"), primary_key=True),
)
requests = sa.Table(
    "requests",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("tid", sa.ForeignKey("terminals.tid"), nullable=False),
    sa.Column("op", sa.String(16), nullable=False),
    sa.Column("who", sa.String(64), nullable=False),
    sa.Column("place", sa.String(64), nullable=False),
    sa.Column("asked_ms", sa.BigInteger, nullable=False),
    sa.Column("answer", sa.String(16)),  # NULL until the bridge has taken it; a word of store.requests
    sqlite_autoincrement=True,
)
troubles = sa.Table(
    "troubles",
    metadata,
    sa.Column("tid", sa.ForeignKey("terminals.tid"), primary_key=True),
    sa.Column("what", sa.String(16), primary_key=True),  # a word of store.troubles
    sa.Column("since_ms", sa.BigInteger, nullable=False),
    sa.Column("detail", sa.String(128), nullable=False),
)
sightings = sa.Table(
    "sightings",
    metadata,
    sa.Column("tid", sa.ForeignKey("terminals.tid"), primary_key=True),
    sa.Column("is_online", sa.Boolean, nullable=False),
    sa.Column("seen_ms", sa.BigInteger, nullable=False),
    sa.Column("boot", sa.String(16), nullable=False),
    sa.Column("firmware", sa.String(16), nullable=False),
    sa.Column("board", sa.String(40), nullable=False),
    sa.Column("address", sa.String(64)),
    sa.Column("rssi_dbm", sa.Integer),
    sa.Column("refusals", sa.Integer),
)
# One row: up to this row of the journal, dialled numbers may have been blotted out.
journal_blotted = sa.Table(
    "journal_blotted",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("seq", sa.Integer, nullable=False),
)
accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),  # a word of store.accounts
    sa.Column("password_hash", sa.String(128), nullable=False),
    sa.Column("added_ms", sa.BigInteger, nullable=False),
)
tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("token_hash", sa.String(64), nullable=False),
    sa.Column("added_ms", sa.BigInteger, nullable=False),
)
# One row.
console_key = sa.Table(
    "console_key",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.LargeBinary, nullable=False),
)
pbx_permissions = sa.Table(
    "pbx_permissions",
    metadata,
    sa.Column("extension", sa.ForeignKey("extensions.number"), primary_key=True),
    sa.Column("owner", sa.String(32), nullable=False),  # the user's id at the PBX
    sa.Column("type", sa.String(64), nullable=False),
    sa.Column("multi_user_aware", sa.Boolean, nullable=False),
    sa.Column("is_expired", sa.Boolean, nullable=False),  # not told for too long: it counts no more
    sa.Column("told_ms", sa.BigInteger, nullable=False),
    sa.Column("why_not", sa.Text, nullable=False),  # why it was not told the last time, "" when it was
)
