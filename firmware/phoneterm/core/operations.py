"""The operations: one row each, read by phone, bridge, command line and documents.

Does not check what a user may do and carries nothing out. An operation that is not in the table, or whose row names
no permission, does not exist: `find` returns no row, and the caller refuses. A row's columns, by their index:
- NAME: the word on the wire, 1 to 16 of a-z, 0-9 and '-';
- PERMISSION: what a user needs: one of FLAGS, or MULTI_USER_AWARE alone;
- KEYED: how it is keyed: a code of two keys ("#1"), or the role of a key during a consultation ("commit");
- TAKES_NUMBER: "number" where a number follows the code;
- ACTS_ON: "call", or "transfer" for one that is under way; a code acts on a call, a role on a transfer;
- ENDS: the result of success: "done", "returned" (the caller is back) or "swapped" (the transfer goes on);
- TITLE: what the display shows above the number.
The words for people are below, because the build leaves them out of what a device gets.
"""

NAME = 0
PERMISSION = 1
KEYED = 2
TAKES_NUMBER = 3
ACTS_ON = 4
ENDS = 5
TITLE = 6

MULTI_USER_AWARE = "multi_user_aware"
FLAGS = ("blind", "attended")  # of the permissions message

# One text, because on a device that is a third of what tuples take.
_TABLE = (
    "\n"
    "blind|blind|#1|number|call|done|Transfer to\n"
    "attended|attended|*2|number|call|done|Consult with\n"
    "complete|multi_user_aware|commit||transfer|done|\n"
    "cancel|multi_user_aware|cancel||transfer|returned|\n"
    "swap|multi_user_aware|swap||transfer|swapped|\n"
)

# For each operation, words for people: what a key with a role asked for, and the result of success.
_WORDS = (
    "\n"
    "blind||the caller was sent to {number}\n"
    "attended||the caller was connected to {number}\n"
    "complete|connect caller and colleague|caller and colleague were connected\n"
    "cancel|get the caller back|the caller was back\n"
    "swap|swap caller and colleague|\n"
)


def names():
    """Return the words of all operations."""
    found = []
    for row in _TABLE.split("\n"):
        name = row[: row.find("|")]
        if permission_of(name):
            found.append(name)
    return tuple(found)


def find(word, column=NAME):
    """Return the columns of the operation that has this word in a column, or None where there is none."""
    for row in _TABLE.split("\n"):
        if word and word in row:  # avoids most of the splitting
            columns = row.split("|")
            if columns[column] == word and permission_of(columns[NAME]):
                return columns
    return None


def permission_of(name):
    """Return the permission for an operation, or None if it does not exist; cheap enough for every digit."""
    at = _TABLE.find("\n" + name + "|")
    if at < 0:
        return None
    at += len(name) + 2
    permission = _TABLE[at : _TABLE.find("|", at)]
    return permission if permission == MULTI_USER_AWARE or permission in FLAGS else None


def words_of(name):
    """Return [asked, worked] of an operation: words for people, "" where a row has none."""
    for row in _WORDS.split("\n"):
        if row.startswith(name + "|"):
            return row.split("|")[1:]
    return ["", ""]
