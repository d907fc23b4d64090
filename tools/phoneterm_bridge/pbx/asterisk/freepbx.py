"""The names by which FreePBX's own contexts are known. Does not ask anybody."""

# Every number exists where the phones are, because a recording answers what nothing else does; not where transfers go.
PHONES = "from-internal"
TRANSFERS = "from-internal-xfer"
