"""Which address of the console shows which page, and who may use it. Shows none itself."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from phoneterm_bridge.console.api import make_routes
from phoneterm_bridge.console.pages import (
    accounts,
    bulk,
    changes,
    events,
    health,
    importing,
    sign_in,
    terminals,
    users,
    why,
)
from phoneterm_bridge.console.site import Refused, Site, say_failed
from phoneterm_bridge.console.templates_of import STATIC
from phoneterm_bridge.store.accounts import ADMIN, OPERATOR


def make_app(site: Site) -> Starlette:
    """Return the application."""
    page = site.page

    async def start(_request: Request) -> Response:
        return RedirectResponse(sign_in.START, 303)

    async def say_unknown(request: Request, _error: Exception) -> Response:
        return site.refuse(request, Refused(404, "There is no such page."))

    async def say_not_so(request: Request, _error: Exception) -> Response:
        return site.refuse(request, Refused(405, "Nothing here is done that way."))

    routes = [
        Route("/", start),
        Route("/sign-in", sign_in.show_sign_in(site)),
        Route("/sign-in", sign_in.sign_in(site), methods=["POST"]),
        Route("/sign-out", page(sign_in.sign_out), methods=["POST"]),
        Route("/setup/{token}", sign_in.show_setup(site)),
        Route("/setup/{token}", sign_in.set_up(site), methods=["POST"]),
        Route("/events", page(events.stream)),
        Route("/terminals", page(terminals.show_terminals)),
        Route("/terminals/enrol", page(terminals.show_enrol, ADMIN)),
        Route("/terminals/enrol", page(terminals.enrol, ADMIN), methods=["POST"]),
        Route("/terminals/preview", page(bulk.preview_bulk, OPERATOR), methods=["POST"]),
        Route("/terminals/change", page(bulk.change_many, OPERATOR), methods=["POST"]),
        Route("/terminals/{tid}", page(terminals.show_terminal)),
        Route("/terminals/{tid}/{what}", page(terminals.ask_terminal, OPERATOR), methods=["POST"]),
        Route("/users", page(users.show_users)),
        Route("/users/{name}", page(users.show_user)),
        Route("/users/{name}", page(users.change_user, OPERATOR), methods=["POST"]),
        Route("/why", page(why.show_why)),
        Route("/why/{entry:int}", page(why.show_story)),
        Route("/why.csv", page(why.export)),
        Route("/why.json", page(why.export)),
        Route("/changes", page(changes.show_changes)),
        Route("/import", page(importing.show_import, ADMIN)),
        Route("/import/staff.csv", page(importing.export_staff, ADMIN)),
        Route("/import/plan", page(importing.plan_import, ADMIN), methods=["POST"]),
        Route("/import", page(importing.carry_out_import, ADMIN), methods=["POST"]),
        Route("/health", page(health.show_health)),
        Route("/health", page(health.examine), methods=["POST"]),
        Route("/accounts", page(accounts.show_accounts, ADMIN)),
        Route("/accounts", page(accounts.change_account, ADMIN), methods=["POST"]),
        Route("/account", page(accounts.show_own)),
        Route("/account", page(accounts.change_own_password), methods=["POST"]),
        *make_routes(site),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    app = Starlette(routes=routes, exception_handlers={404: say_unknown, 405: say_not_so, Exception: say_failed})
    app.router.redirect_slashes = False
    return app
