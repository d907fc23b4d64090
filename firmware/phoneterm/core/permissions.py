"""What the user of this terminal may do: nothing, until a valid document says otherwise.

Does not check signatures or documents (messages.decode does) and does not have the last word: the bridge decides, and
this only lets the user hear a refusal at once. A kind is the name of an operation; classes come from the digit map.
"""

from phoneterm.core import operations


class Permissions:
    """The permission `document` in force, None without one; `revision` is -1 until the first one."""

    def __init__(self):
        self.revision = -1
        self.document = None

    def replace(self, document):
        """Put a decoded document in force and return True, or return False when it is older than the known one.

        After `revoke` only a higher revision counts, so that a stored copy of a document grants nothing.
        """
        lowest = self.revision if self.document else self.revision + 1
        if document["rev"] < lowest:
            return False
        self.revision = document["rev"]
        self.document = document
        return True

    def revoke(self):
        """Take everything away until a document with a higher revision arrives."""
        self.document = None

    def __str__(self):
        """Return one line for the log with what is in force now."""
        may = " not"
        for flag in operations.FLAGS:
            if self._has(flag):
                may = ""
        return "rev %d, may%s transfer" % (self.revision, may)

    def allows_kind(self, kind):
        """Say whether this operation is allowed, and, if it takes a number, for any class at all."""
        return self._has(operations.permission_of(kind))

    def allows(self, kind, number_class):
        """Say whether this operation is allowed with a number of this class."""
        return self.allows_kind(kind) and number_class in self.document["classes"]

    def _has(self, permission):
        document = self.document
        return bool(permission and document and document[operations.MULTI_USER_AWARE] and document[permission])
