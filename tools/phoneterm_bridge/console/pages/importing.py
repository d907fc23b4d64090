"""The page *Import*: a CSV file, its dry run as a table, then the import of exactly that file; and an export.

Carries out none of them itself.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from phoneterm_bridge.console.operations import HandedOut
from phoneterm_bridge.console.pages.bulk import make_archive
from phoneterm_bridge.console.site import Site, read_body
from phoneterm_bridge.console.visitors import Visitor
from phoneterm_bridge.csv_files.files import export
from phoneterm_bridge.csv_files.rows import COLUMNS
from phoneterm_bridge.permissions.describing import OVERRIDDEN

_MOST_BYTES = 4 * 1024 * 1024
_MOST_SHOWN = 500
_WORDS = {
    "add_user": ("user", "added"), "set_multi_user_aware": ("user", "multi user aware"),
    "add_extension": ("extension", "added"), "add_terminal": ("terminal", "enrolled"),
    "set_operation": ("terminal", "operation"), "set_classes": ("terminal", "classes"),
    "set_prefixes": ("terminal", "prefixes"), "set_group": ("terminal", "site group"),
}  # fmt: skip


async def show_import(site: Site, request: Request, visitor: Visitor) -> Response:
    """Show the form."""
    return await site.render(request, visitor, "import.html", columns=COLUMNS)


async def plan_import(site: Site, request: Request, _visitor: Visitor) -> Response:
    """Answer with the dry run of a file as a table; nothing is changed."""
    content = await read_body(request, _MOST_BYTES)
    plan = await site.change(site.operations.plan, content)
    steps = [(*_WORDS.get(step.method, ("", step.method)), step.arguments) for step in plan.steps]
    told = OVERRIDDEN if plan.sets_permission and site.sources.permission_source is not None else ""
    html = site.templates.get_template("import_plan.html").render(
        steps=steps[:_MOST_SHOWN], count=len(steps), mistakes=plan.mistakes[:_MOST_SHOWN], shown=_MOST_SHOWN,
        new=sum(step.method == "add_terminal" for step in plan.steps), count_mistakes=len(plan.mistakes), told=told,
        mark=plan.mark,
    )  # fmt: skip
    return JSONResponse({"put": {"import-plan": html}})


async def export_staff(site: Site, _request: Request, _visitor: Visitor) -> Response:
    """Give all users, extensions and terminals as a file that can be imported, without secrets."""
    text = await site.run(export, site.sources.engine)
    headers = {"Content-Disposition": 'attachment; filename="staff.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


async def carry_out_import(site: Site, request: Request, visitor: Visitor) -> Response:
    """Import a file, completely or not at all; the settings of new terminals are in the answer, only once."""
    content = await read_body(request, _MOST_BYTES)
    host, mark = (request.query_params.get(name, "").strip()[:200] or None for name in ("mqtt_host", "mark"))
    handed: list[HandedOut] = await site.change(site.operations.import_file, visitor, content, host, mark)
    html = site.templates.get_template("imported.html").render(handed=handed, archive=make_archive(handed))
    return JSONResponse({"say": "The file is imported.", "put": {"import-plan": html}})
