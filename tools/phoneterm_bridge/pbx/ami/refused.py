"""What an error answer of AMI means, told apart by its text. Does not know operations or wire reasons.

Source: Asterisk's main/manager.c and apps/app_senddtmf.c. An error answer is never a value: whoever asks for one gets
`AmiRefused`.
"""

from phoneterm_bridge.pbx.ami.codec import Message

NO_CHANNEL = "no such channel"
NO_RIGHT = "the login has no right to it"
NO_ACTION = "no such action"
SHUTTING_DOWN = "shutting down"
IN_USE = "somebody is logged in with this user name"  # and allowmultiplelogin = no
OTHER = "other"

_KINDS = {
    **dict.fromkeys(("No such channel", "Channel not found", "Channel specified does not exist"), NO_CHANNEL),
    "Permission denied": NO_RIGHT,
    "Asterisk is shutting down": SHUTTING_DOWN,
    "Login Already In Use": IN_USE,
}
_NO_ACTION = "Invalid/unknown command"


class AmiRefused(Exception):
    """Asterisk answered an action with an error; the text names the action and has Asterisk's words."""

    def __init__(self, action: str, answer: Message) -> None:
        """Keep both."""
        self.action = action
        self.answer = answer
        super().__init__(f"the PBX refuses {action}: {answer.get('Message') or 'without a reason'}")


def kind_of(answer: Message) -> str | None:
    """Return what kind of error an answer is, or None for a success."""
    if answer.get("Response") != "Error":
        return None
    text = answer.get("Message")
    return NO_ACTION if text.startswith(_NO_ACTION) else _KINDS.get(text, OTHER)
