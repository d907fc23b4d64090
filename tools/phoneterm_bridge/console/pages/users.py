"""The pages *Users* and *Roles and phone numbers*, and what is changed there. Changes nothing itself."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from phoneterm_bridge.console.people import read_person
from phoneterm_bridge.console.site import Refused, Site, field, read_form
from phoneterm_bridge.console.visitors import Visitor
from phoneterm_bridge.console.watch import CHANGES, USER
from phoneterm_bridge.permissions.describing import describe_source, describe_uncounted
from phoneterm_bridge.store import reading
from phoneterm_bridge.store.pbx_permissions import read_following


async def show_users(site: Site, request: Request, visitor: Visitor) -> Response:
    """List the users, live."""

    async def read() -> dict:
        following = await site.run(read_following, site.sources.engine)
        told = f"{describe_source(following)} {describe_uncounted(following)}".strip()
        return {"users": await site.run(reading.read_users, site.sources.engine), "told": told}

    return await site.render(request, visitor, "users.html", (CHANGES,), read)


async def show_user(site: Site, request: Request, visitor: Visitor) -> Response:
    """Show a user's extensions and permissions."""
    name = request.path_params["name"]

    async def read() -> dict:
        person = await read_person(site.sources, site.rows, name)
        if person is None:
            raise Refused(404, f"There is no user {name!r}.")
        return {"person": person}

    if await read_person(site.sources, site.rows, name) is None:
        raise Refused(404, f"There is no user {name!r}.")
    return await site.render(request, visitor, "user.html", (USER + name,), read)


async def change_user(site: Site, request: Request, visitor: Visitor) -> Response:
    """Flip User is multi user aware, an operation or a class of numbers; answer with the new piece of the page."""
    name, form = request.path_params["name"], await read_form(request)
    what, is_on, tid = field(form, "what"), field(form, "on") == "yes", field(form, "terminal")
    if what == "aware":
        said = await site.set_aware(visitor, name, is_on)
    else:
        record = site.sources.directory.snapshot.terminals.get(tid)
        if record is None or record.user != name:
            raise Refused(404, f"{name} has no terminal {tid!r}.")
        kind, _, word = what.partition(":")
        if kind == "op":
            said = await site.change(site.operations.set_operation, visitor, tid, word, is_on)
        elif kind == "class":
            said = await site.change(site.operations.set_class, visitor, tid, word, is_on)
        else:
            raise Refused(400, "There is no such box.")
    site.watch.say_again(USER + name)
    person = await read_person(site.sources, site.rows, name)
    html = site.templates.get_template("person.html").render(person=person)
    return JSONResponse({"say": said, "put": {"person": html}})
