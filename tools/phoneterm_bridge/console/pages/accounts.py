"""The page *Accounts*: who may use the console, and which programs its HTTP API. Changes nothing itself."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from phoneterm_bridge.console.site import Refused, Site, field, read_form
from phoneterm_bridge.console.visitors import Visitor
from phoneterm_bridge.settings.problem import SetupProblem
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
        if field(form, "password") != field(form, "again"):
            raise SetupProblem("The two passwords differ.")
        await site.change(accounts.add_account, name, role, field(form, "password"))
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
    if field(form, "password") != field(form, "again"):
        raise SetupProblem("The two passwords differ.")
    account = site.visitors.accounts[visitor.name]
    address = site.visitors.address_of(request)
    if not await site.desk.admits(account, visitor.name, field(form, "old"), address):
        raise SetupProblem("The old password is another one.")
    await site.change(site.operations.accounts(visitor).set_password, visitor.name, field(form, "password"))
    response = JSONResponse({"say": "You have a new password; everywhere else you are signed out."})
    site.sign_in(request, response, visitor.name)
    return response


async def show_own(site: Site, request: Request, visitor: Visitor) -> Response:
    """Show the visitor's own account."""
    return await site.render(request, visitor, "own_account.html", least=LEAST_CHARS)
