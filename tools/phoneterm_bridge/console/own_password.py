"""A person's new password, for whoever knows the old one; wrong ones are counted as at the sign-in. Signs nobody in."""

from starlette.requests import Request

from phoneterm_bridge.console.login_desk import TooMany
from phoneterm_bridge.console.site import Refused, Site, exact_field
from phoneterm_bridge.console.visitors import Visitor
from phoneterm_bridge.settings.problem import SetupProblem


def read_new_password(form: dict[str, list[str]]) -> str:
    """Return the new password of a form, which has it twice."""
    password = exact_field(form, "password")
    if password != exact_field(form, "again"):
        raise SetupProblem("The two passwords differ.")
    return password


async def change_password(site: Site, request: Request, visitor: Visitor, name: str, old: str, password: str) -> None:
    """Give an account another password; everybody who is signed in with the old one is signed out, streams included."""
    await site.visitors.refresh()
    account = site.visitors.accounts.get(name)
    try:
        is_right = await site.desk.admits(account, name, old, site.visitors.address_of(request))
    except TooMany as many:
        raise Refused(429, str(many), {"Retry-After": f"{many.seconds:.0f}"}) from None
    if not is_right:
        raise Refused(403, "There is no such account, or the old password is another one.")
    await site.change(site.operations.accounts(visitor).set_password, name, password)
    site.streams.recheck()
