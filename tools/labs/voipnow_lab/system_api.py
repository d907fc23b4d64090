"""SystemAPI of the stand-in: SOAP 1.1 about users and extensions, by its own WSDL and XSDs. Does not know calls.

Every request must fit the XSDs, and so must every answer: what does not is in `mistakes`, for tests to look at. An
answer is in the version that the request was in.
"""

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

from lxml import etree

from voipnow_lab.accounts import Accounts, Extension, User
from voipnow_lab.https_server import Answer, Request
from voipnow_lab.schemas import PATH as SCHEMA_PATH
from voipnow_lab.schemas import VERSIONS, Schemas
from voipnow_lab.tokens import Tokens

AGENTS = ("/soap2/user_agent.php", "/soap2/extension_agent.php")
UPDATE = "UpdateUserPL"
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_XML = {"Content-Type": "text/xml; charset=utf-8"}
_NOT_LET_IN, _UNKNOWN, _WRONG = "101", "117", "250"
_MANY_LIMITS = ("phoneExtMax", "unlimited"), ("concurentCalls", "10"), ("faxStorage", "100")


class Faulted(Exception):
    """A request that is answered with a fault; number: VoipNow's."""

    def __init__(self, number: str, text: str, code: str = "SOAP-ENV:Server") -> None:
        """Keep both."""
        super().__init__(text)
        self.number = number
        self.code = code


class BrokenDown(Exception):
    """A request at which VoipNow itself breaks down."""


class SystemApi:
    """requests: the operations that were asked for, with their fields. mistakes: what did not fit the XSDs.

    taken: versions whose requests it takes; served: those whose documents it has. has_small_services: those for users
    and for extensions can be used alone. is_update_lost: says that it has updated, and has not. is_update_refused: says
    that it has not, which is no fault.
    """

    def __init__(self, tokens: Tokens, accounts: Accounts) -> None:
        """Serve nothing yet."""
        self.accounts = accounts
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.mistakes: list[str] = []
        self._tokens = tokens
        self._schemas: Schemas | None = None
        self.clear()

    def clear(self) -> None:
        """Behave as usual, with the usual users."""
        self.accounts.clear()
        self.requests.clear()
        self.mistakes.clear()
        self.taken: tuple[str, ...] = VERSIONS
        self.served: tuple[str, ...] = VERSIONS
        self.has_small_services = True
        self.is_update_lost = False
        self.is_update_refused = False

    def open(self, url: str, folder: Path) -> None:
        """Make the documents of a server at this address."""
        self._schemas = Schemas(url, folder)

    @property
    def schemas(self) -> Schemas:
        """The documents, once open."""
        assert self._schemas is not None
        return self._schemas

    def document(self, path: str) -> Answer:
        """Answer a request for a WSDL or an XSD."""
        version = path.removeprefix(SCHEMA_PATH).partition("/")[0]
        content = self.schemas.read(path) if version in self.served else None
        if content is None:
            return Answer(404, b"<html><body>Not Found</body></html>", {"Content-Type": "text/html"})
        if path.endswith(("/User.wsdl", "/Extension.wsdl")) and not self.has_small_services:
            content = re.sub(rb"<service.*</service>", b"", content, flags=re.DOTALL)
        return Answer(body=content, headers=_XML)

    def answer(self, request: Request) -> Answer:
        """Answer one request at one of AGENTS."""
        try:
            root = etree.fromstring(request.body, etree.XMLParser(resolve_entities=False, no_network=True))
            return self._carry_out(root, request)
        except etree.XMLSyntaxError:
            self.mistakes.append("a request is not XML")
            return fault("030", "The request is not XML.", "SOAP-ENV:Client")
        except Faulted as error:
            return fault(error.number, str(error), error.code)
        except BrokenDown:
            return Answer(500, b"<html><body>Internal error</body></html>", {"Content-Type": "text/html"})

    def _carry_out(self, root: etree._Element, request: Request) -> Answer:
        bodies = root.findall(f"{{{_ENVELOPE}}}Body/*")
        heads = root.findall(f"{{{_ENVELOPE}}}Header/*")
        if len(bodies) != 1 or (version := self.schemas.version_of(bodies[0])) not in self.taken:
            raise Faulted("030", "This version is not known here.", "SOAP-ENV:VersionMismatch")
        assert version is not None
        self._require_fit(version, [*heads, *bodies])
        name = etree.QName(bodies[0]).localname.removesuffix("Request")
        self._require_action(version, name, request)
        token = next((one.text for head in heads for one in head), None)
        if token is None or not self._tokens.has(token):
            raise Faulted(_NOT_LET_IN, "The access token is not valid.")
        fields = {etree.QName(one).localname: one.text or "" for one in bodies[0]}
        self.requests.append((name, fields))
        space = etree.QName(bodies[0]).namespace
        names = self.schemas.names(version)
        inner = f'<{name}Response xmlns="{space}" xmlns:c="{names["common"]}" xmlns:d="{_data_of(space)}">'
        inner += "".join(_OPERATIONS[name](self, fields)) + f"</{name}Response>"
        self.mistakes += [f"{name}Response, {one}" for one in self.schemas.mistakes(version, etree.fromstring(inner))]
        return Answer(body=_wrap(inner), headers=_XML)

    def _require_fit(self, version: str, elements: Iterable[etree._Element]) -> None:
        for element in elements:
            alone = etree.fromstring(etree.tostring(element))  # it is checked as the root that it is not
            for mistake in self.schemas.mistakes(version, alone):
                self.mistakes.append(f"{etree.QName(element).localname}, {mistake}")
                raise Faulted("030", f"The request does not fit the schema: {mistake}", "SOAP-ENV:Client")

    def _require_action(self, version: str, name: str, request: Request) -> None:
        entity = "User" if "User" in name else "Extension"
        wanted = f"http://4psa.com/{entity}/{version}:{name[0].lower()}{name[1:]}In"
        said = request.headers.get("soapaction", "").strip('"')
        if said != wanted or request.path != AGENTS[entity == "Extension"]:
            self.mistakes.append(f"{name}: action {said} at {request.path}")
            raise Faulted("030", "There is no such action here.", "SOAP-ENV:Client")

    def _get_user_pl(self, fields: dict[str, str]) -> Iterable[str]:
        user = self._find_user(fields)
        yield "<extensionPL>"
        limits = dict(_MANY_LIMITS)
        yield "".join(f"<d:{name}>{value}</d:{name}>" for name, value in limits.items())
        if user.multi_user is not None:
            yield f"<d:multiUser>{str(user.multi_user).lower()}</d:multiUser>"
        yield "</extensionPL>"

    def _update_user_pl(self, fields: dict[str, str]) -> Iterable[str]:
        user = self._find_user(fields)
        if self.is_update_refused:
            yield "<result>failure</result><notice><c:message>It may not be changed.</c:message></notice>"
            return
        if "multiUser" in fields and not self.is_update_lost:
            user.multi_user = fields["multiUser"] in ("true", "1")
        yield f"<result>success</result><c:ID>{user.id}</c:ID>"

    def _get_users(self, fields: dict[str, str]) -> Iterable[str]:
        parent = fields.get("parentID")
        for one in self.accounts.users if parent in (None, str(self.accounts.organization_id)) else ():
            yield f"<user><c:ID>{one.id}</c:ID><d:name>{escape(one.name)}</d:name>"
            yield f"<d:login>{escape(one.login)}</d:login><d:email>{escape(one.login)}@voipnow.example</d:email></user>"

    def _get_extensions(self, fields: dict[str, str]) -> Iterable[str]:
        if fields.get("parentID") in {str(one) for one in self.accounts.hidden}:
            raise Faulted(_UNKNOWN, "There is no such user, or it may not be seen.")
        for one in self.accounts.extensions:
            if fields.get("parentID") in (None, str(one.user.id)):
                yield f"<extension>{_describe(one, 'd:')}<d:extendedNumber>{one.number}</d:extendedNumber></extension>"

    def _get_extension_details(self, fields: dict[str, str]) -> Iterable[str]:
        one = self.accounts.find_extension(fields["extendedNumber"])
        if one is None:
            raise Faulted(_UNKNOWN, "There is no such extension, or it may not be seen.")
        if one.is_broken:
            raise BrokenDown
        yield f"<parentID>{one.user.id}</parentID><parentName>{escape(one.user.name)}</parentName>"
        yield f"<crDate>2024-03-01T10:00:00+03:00</crDate>{_describe(one)}"

    def _find_user(self, fields: dict[str, str]) -> User:
        user = self.accounts.find_user(int(fields["ID"])) if "ID" in fields else None
        if user is None:
            raise Faulted(_UNKNOWN, "There is no such user, or it may not be seen.")
        return user


_OPERATIONS: dict[str, Callable[[SystemApi, dict[str, str]], Iterable[str]]] = {
    "GetUserPL": SystemApi._get_user_pl,
    UPDATE: SystemApi._update_user_pl,
    "GetUsers": SystemApi._get_users,
    "GetExtensions": SystemApi._get_extensions,
    "GetExtensionDetails": SystemApi._get_extension_details,
}


def fault(number: str, text: str, code: str = "SOAP-ENV:Server") -> Answer:
    """Return a fault as SOAP 1.1 has it, with VoipNow's number in its details."""
    detail = f"<detail><code>{number}</code></detail>"
    inner = f"<SOAP-ENV:Fault><faultcode>{code}</faultcode><faultstring>{escape(text)}</faultstring>{detail}"
    return Answer(500, _wrap(f"{inner}</SOAP-ENV:Fault>"), _XML)


def bomb() -> Answer:
    """Return an answer whose entities, expanded, would fill the memory."""
    lines = ['<!ENTITY a "aaaaaaaaaa">', *(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise("abcdefgh"))]
    return Answer(body=f"<!DOCTYPE x [{''.join(lines)}]><x>&h;</x>".encode(), headers=_XML)


def external(url: str) -> Answer:
    """Return an answer with an entity that lies elsewhere."""
    text = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{url}">]><x>&e;</x>'
    return Answer(body=text.encode(), headers=_XML)


def name_of_operation(request: Request) -> str:
    """Return what a request asks for, by its SOAPAction."""
    name = request.headers.get("soapaction", "").strip('"').rpartition(":")[2].removesuffix("In")
    return name[:1].upper() + name[1:]


def _describe(one: Extension, prefix: str = "") -> str:
    fields = {"name": one.label or one.number, "label": one.label or one.number, "extensionType": one.type}
    return "".join(
        f"<{prefix}{name}>{escape(value)}</{prefix}{name}>" for name, value in fields.items() if value is not None
    )


def _data_of(space: str | None) -> str:
    return (space or "").replace("Messages.xsd", "Data.xsd")


def _wrap(inner: str) -> bytes:
    text = f'<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="{_ENVELOPE}"><SOAP-ENV:Body>'
    return f"{text}{inner}</SOAP-ENV:Body></SOAP-ENV:Envelope>".encode()
