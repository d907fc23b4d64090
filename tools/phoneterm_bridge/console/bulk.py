"""Makes a change of many terminals for a visitor of pages or API; says what was not possible and why. Shows nothing.

Requests go to the terminals one by one; everything else is written as one (see administration.bulk_change).
"""

from typing import NamedTuple

from phoneterm_bridge.administration.bulk_change import REVOKE, ROTATE, Change
from phoneterm_bridge.console.operations import HandedOut
from phoneterm_bridge.console.site import Refused, Site
from phoneterm_bridge.console.visitors import Visitor
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.accounts import ADMIN

OF_ADMINS = (ROTATE, REVOKE)


class Done(NamedTuple):
    """What was done, in a sentence; not_done: (terminal, why); handed: new settings, only once."""

    said: str
    not_done: tuple[tuple[str, str], ...]
    handed: list[HandedOut]


def require_role_for(change: Change, visitor: Visitor) -> None:
    """Refuse what the visitor's role is not enough for."""
    if change.what in OF_ADMINS and not visitor.may(ADMIN):
        raise Refused(403, f"This needs the role {ADMIN}, and {visitor.name} is {visitor.role}.")


async def make_bulk(
    site: Site, visitor: Visitor, change: Change, tids: list[str], mark: str | None, mqtt_host: str | None
) -> Done:
    """Make the change; SetupProblem when nothing was done."""
    if not change.is_request:
        arguments = (visitor, change, tids, mark, mqtt_host)
        preview, handed = await site.change(site.operations.change_many, *arguments)
        return Done(preview.outcome, preview.left_out, handed)
    preview = await site.run(site.operations.preview, change, tids, site.rows.find_absence, None)
    if mark is not None and mark != preview.mark:
        raise SetupProblem("This is not what the preview has shown, so nothing was done: look at it again.")
    affected = [one.tid for one in preview.affected]
    if not affected:
        raise SetupProblem("None of these terminals can be told now.")
    refused = await site.ask_many(visitor, affected, change.what)
    said = f"{len(affected) - len(refused)} of {len(affected)} terminals were told to {change.what}."
    return Done(said, (*refused, *preview.left_out), [])
