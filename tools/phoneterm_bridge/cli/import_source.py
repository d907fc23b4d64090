"""Where `phoneterm user import` has its rows from: a CSV file, a file of FreePBX, or VoipNow. Changes nothing."""

import asyncio
import re
from pathlib import Path
from typing import NamedTuple

from phoneterm_bridge.cli.options import looking
from phoneterm_bridge.csv_files.files import read_known
from phoneterm_bridge.csv_files.freepbx import read_freepbx
from phoneterm_bridge.csv_files.people import PersonTold, make_rows
from phoneterm_bridge.csv_files.plan import USUAL_CONTEXT, Known
from phoneterm_bridge.csv_files.rows import CsvRow, Mistake, read_rows
from phoneterm_bridge.pbx.asterisk import freepbx
from phoneterm_bridge.pbx.backends import make_asked_source
from phoneterm_bridge.pbx.permissions import Extension, Person, SourceAway
from phoneterm_bridge.pbx.voipnow.extension_number import shorten_number
from phoneterm_bridge.settings.bridge import BridgeSettings
from phoneterm_bridge.settings.problem import SetupProblem

_ACCOUNT = re.compile(r"[0-9]{1,18}")
_MOST_BYTES = 32 * 1024 * 1024


class Given(NamedTuple):
    """What is to come in, from where, what of it does not and why, and the dialplan context of its transfers.

    refused: what else does not come in, each with its own reason.
    """

    name: str
    rows: list[CsvRow]
    mistakes: list[Mistake]
    left_out: list[str]
    why_left_out: str
    context: str
    refused: tuple[str, ...] = ()


def read_source(source: str | None, path: Path | None, account: str | None, settings: BridgeSettings) -> Given:
    """Return what is to come in, from wherever that is."""
    if source not in (None, "freepbx", "voipnow"):
        raise SetupProblem("--from takes freepbx or voipnow; a file of phoneterm itself needs no --from.")
    if account is not None and (source != "voipnow" or not _ACCOUNT.fullmatch(account)):
        raise SetupProblem("--account is the id of an organization at VoipNow, a number, and needs --from voipnow.")
    if source == "voipnow":
        if path is not None:
            raise SetupProblem("--from voipnow takes no file: it asks VoipNow itself.")
        return _ask_voipnow(account, settings)
    if path is None:
        raise SetupProblem("Name the file; without one, --from voipnow asks VoipNow.")
    content, name, context = _read_file(path), f"The file {path}", settings.pbx.context
    if source is None:
        return Given(name, *read_rows(content), [], "", context)
    rows, left_out, mistakes = read_freepbx(content)
    context = freepbx.TRANSFERS if context == USUAL_CONTEXT else context
    return Given(name, rows, mistakes, left_out, "have no phone of type PJSIP or SIP", context)


def _ask_voipnow(account: str | None, settings: BridgeSettings) -> Given:
    """Return the users and extensions that VoipNow has."""
    source = make_asked_source(settings)

    async def ask() -> list[tuple[Person, list[Extension]]]:
        try:
            return await source.list_people(account)
        finally:
            await source.close()

    try:
        people = asyncio.run(ask())
    except SourceAway as away:
        raise SetupProblem(f"VoipNow does not tell its users: {away}.") from None
    known = Known()
    if settings.store.path.exists():
        with looking(settings) as engine:
            known = read_known(engine)
    owners = {
        shorten_number(endpoint, settings.voipnow.organization): user
        for user, endpoint, *_ in known.extensions.values()
    }
    told = (
        PersonTold(one.name, one.login, tuple((extension.endpoint, extension.type) for extension in extensions))
        for one, extensions in people
    )
    found = make_rows(told, owners, known.extensions, known.users)
    why = "are no phone terminals"
    return Given("What VoipNow has", found.rows, [], found.left_out, why, settings.pbx.context, tuple(found.refused))


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise SetupProblem(f"The file {path} cannot be read: {error.strerror}.") from None
    if len(content) > _MOST_BYTES:
        raise SetupProblem(f"The file {path} is larger than {_MOST_BYTES // 1024 // 1024} MB.")
    return content
