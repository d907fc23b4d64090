"""What the user of this terminal may do: nothing, until a valid document says otherwise.

Does not check signatures or documents (messages.decode does) and does not have the last word: the bridge decides,
this only lets the user hear a refusal at once. A kind is "blind" or "attended"; classes come from the digit map.
"""

_FLAGS = ("blind", "attended")
UNKNOWN_REVISION = -1


class Permissions:
    """The permission document in force; `revision` is UNKNOWN_REVISION until the first one."""

    def __init__(self):
        self.revision = UNKNOWN_REVISION
        self._kinds = ()
        self._classes = ()

    def replace(self, document):
        """Put a decoded document in force and say True, or False when it is older than the one known.

        After `revoke` only a higher revision counts, so that a document that was kept somewhere grants nothing.
        """
        is_revoked = not self._classes and self.revision != UNKNOWN_REVISION and self._kinds is None
        if document["rev"] < self.revision or (is_revoked and document["rev"] == self.revision):
            return False
        is_aware = document["multi_user_aware"]
        self.revision = document["rev"]
        self._kinds = tuple(kind for kind in _FLAGS if is_aware and document[kind])
        self._classes = tuple(document["classes"])
        return True

    def revoke(self):
        """Take everything away until a document with a higher revision arrives."""
        self._kinds = None
        self._classes = ()

    def allows_kind(self, kind):
        """Say whether transfers of this kind are allowed to any class at all."""
        return bool(self._kinds) and kind in self._kinds

    def allows(self, kind, number_class):
        """Say whether a transfer of this kind to a number of this class is allowed."""
        return self.allows_kind(kind) and number_class in self._classes
