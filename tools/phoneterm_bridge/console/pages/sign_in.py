"""Signing in and out, and the one-time set-up link that makes the first account. Does not check a password itself."""

import hmac

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from phoneterm_bridge.console.login_desk import TooMany
from phoneterm_bridge.console.own_password import read_new_password
from phoneterm_bridge.console.site import Refused, Site, exact_field, field, read_form
from phoneterm_bridge.console.visitors import Visitor
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.accounts import ADMIN, LEAST_CHARS, Accounts

START = "/terminals"


def show_sign_in(site: Site):
    """Return the sign-in page."""

    async def answer(request: Request) -> Response:
        next_page = _own_path(request.query_params.get("next", ""))
        if not site.visitors.accounts:
            await site.visitors.refresh()
        return _render_sign_in(site, next_page)

    return answer


def sign_in(site: Site):
    """Return the answer to the sign-in page's form."""

    async def answer(request: Request) -> Response:
        try:
            site.require_own_origin(request)
            form = await read_form(request)
            name, password = field(form, "name"), exact_field(form, "password")
            next_page = _own_path(field(form, "next"))
            await site.visitors.refresh()
            account = site.visitors.accounts.get(name)
            is_right = await site.desk.admits(account, name, password, site.visitors.address_of(request))
        except TooMany as many:
            return _render_sign_in(site, next_page, str(many), name, 429, {"Retry-After": f"{many.seconds:.0f}"})
        except Refused as refused:
            return site.refuse(request, refused)
        if account is None or not is_right:
            return _render_sign_in(site, next_page, _WRONG, name, 403)
        response = RedirectResponse(next_page, 303)
        site.sign_in(response, account)
        return response

    return answer


async def sign_out(site: Site, _request: Request, visitor: Visitor) -> Response:
    """Sign out."""
    site.visitors.sign_out(visitor)
    site.streams.recheck()
    response = Response('{"go": "/sign-in"}', media_type="application/json")
    site.sign_out(response)
    return response


def show_setup(site: Site):
    """Return the page of the set-up link."""

    async def answer(request: Request) -> Response:
        if not _is_setup(site, request):
            return _render(site, "refused.html", 404, sentence=_NO_SETUP)
        return _render(site, "setup.html", problem="", name="", least=LEAST_CHARS)

    return answer


def set_up(site: Site):
    """Return the answer to its form: the first account, which administers."""

    async def answer(request: Request) -> Response:
        try:
            site.require_own_origin(request)
            if not _is_setup(site, request):
                return _render(site, "refused.html", 404, sentence=_NO_SETUP)
            form = await read_form(request)
            name = field(form, "name")
            password = read_new_password(form)
            place = f"set-up link, from {site.visitors.address_of(request)}"
            accounts = Accounts(site.sources.engine, f"console:{name}", place)
            await site.change(accounts.add_account, name, ADMIN, password, True)
        except Refused as refused:
            return site.refuse(request, refused)
        except SetupProblem as problem:
            return _render(site, "setup.html", 409, problem=str(problem), name=name, least=LEAST_CHARS)
        site.setup_token.clear()
        response = RedirectResponse(START, 303)
        site.sign_in(response, site.visitors.accounts[name])
        return response

    return answer


_WRONG = "There is no such account, or the password is another one."
_NO_SETUP = (
    "This set-up link is not good any more: the console has an account already, or the bridge has started anew. "
    "`phoneterm console account add NAME --role admin` adds one."
)


def _is_setup(site: Site, request: Request) -> bool:
    said = request.path_params["token"]
    return any(hmac.compare_digest(said.encode(), token.encode()) for token in site.setup_token) and not _has_accounts(
        site
    )


def _has_accounts(site: Site) -> bool:
    return bool(site.visitors.accounts)


def _own_path(text: str) -> str:
    """Return a path of the console; a link to anywhere else is not followed."""
    is_own = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if is_own and not text.startswith("/sign-in") else START


def _render_sign_in(
    site: Site,
    next_page: str,
    problem: str = "",
    name: str = "",
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> HTMLResponse:
    values = {"next_page": next_page, "problem": problem, "name": name, "is_empty": not _has_accounts(site)}
    return HTMLResponse(site.templates.get_template("sign_in.html").render(values), status, headers)


def _render(site: Site, template: str, status: int = 200, **values: object) -> HTMLResponse:
    return HTMLResponse(site.templates.get_template(template).render(values), status)
