"""The page *Accounts*: who may use the console, and which programs its HTTP API. Changes nothing itself."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from phoneterm_bridge.console.own_password import change_password, read_new_password
from phoneterm_bridge.console.site import Refused, Site, exact_field, field, read_form
from phoneterm_bridge.console.visitors import Visitor
from phoneterm_bridge.store.accounts import LEAST_CHARS, ROLES


async def show_accounts(site: Site, request: Request, visitor: Visitor) -> Response:
    """List accounts and tokens."""
    return await site.render(
        request, visitor, "accounts.html", accounts=list(site.visitors.accounts.values()), tokens=site.visitors.tokens,
        roles=ROLES, least=LEAST_CHARS,
    )  # fmt: skip


async def change_account(site: Site, request: Request, visitor: Visitor) -> Response:
    """Add, change or remove an account or a token."""
    form, accounts = await read_form(request), site.operations.accounts(visitor)
    what, name, role = field(form, "what"), field(form, "name"), field(form, "role")
    if what == "add-token":
        token = await site.change(accounts.add_token, name, role)
        html = site.templates.get_template("new_token.html").render(name=name, token=token)
        return JSONResponse({"say": f"The token {name} is added.", "put": {"new-token": html}})
    if what == "add":
        await site.change(accounts.add_account, name, role, read_new_password(form))
    elif what == "role":
        await site.change(accounts.set_role, name, role)
    elif what == "remove":
        await site.change(accounts.remove_account, name)
    elif what == "remove-token":
        await site.change(accounts.remove_token, name)
    else:
        raise Refused(400, "There is no such change.")
    site.streams.recheck()
    return JSONResponse({"say": "Done.", "go": "/accounts"})


async def change_own_password(site: Site, request: Request, visitor: Visitor) -> Response:
    """Give the visitor's own account another password."""
    form = await read_form(request)
    old, password = exact_field(form, "old"), read_new_password(form)
    await change_password(site, request, visitor, visitor.name, old, password)
    response = JSONResponse({"say": "You have a new password; everywhere else you are signed out."})
    site.stay_signed_in(response, visitor)
    return response


async def show_own(site: Site, request: Request, visitor: Visitor) -> Response:
    """Show the visitor's own account."""
    return await site.render(request, visitor, "own_account.html", least=LEAST_CHARS)
