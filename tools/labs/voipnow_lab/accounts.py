"""The users of the stand-in and their extensions, as SystemAPI knows them. Does not serve them.

The flag multi user aware belongs to the user, and may never have been set (None).
"""

from dataclasses import dataclass, field


@dataclass
class User:
    """One user of the organization."""

    id: int
    name: str
    multi_user: bool | None = None

    @property
    def login(self) -> str:
        """The name to log in with."""
        return self.name.lower().replace(" ", ".")


@dataclass
class Extension:
    """One extension; type: VoipNow's word for what it is, None where it is not told.

    is_broken: whoever asks for it is shown that VoipNow has broken down.
    """

    number: str
    user: User
    type: str | None = "term"
    label: str = ""
    is_broken: bool = False


def _usual_users() -> list[User]:
    return [User(21, "Alice Adams", True), User(22, "Bob Brown", False), User(23, "Carol Clark")]


@dataclass
class Accounts:
    """organization_id: the parent of all users. hidden: ids of users of whom no more than their names is told."""

    organization_id: int = 7
    users: list[User] = field(default_factory=_usual_users)
    extensions: list[Extension] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Give each usual user an extension: 0003*101 and so on."""
        if not self.extensions:
            self.extensions = [Extension(f"0003*{101 + at}", user) for at, user in enumerate(self.users)]

    def find_user(self, user_id: int) -> User | None:
        """Return the user with this id."""
        return next((one for one in self.users if one.id == user_id), None)

    def find_extension(self, number: str) -> Extension | None:
        """Return the extension with this extended number."""
        return next((one for one in self.extensions if one.number == number), None)

    def owner_of(self, number: str) -> User:
        """Return whose extension this is; KeyError when there is none."""
        found = self.find_extension(number)
        if found is None:
            raise KeyError(number)
        return found.user

    def clear(self) -> None:
        """Have the usual users and extensions again."""
        self.users, self.extensions = _usual_users(), []
        self.hidden.clear()
        self.__post_init__()
