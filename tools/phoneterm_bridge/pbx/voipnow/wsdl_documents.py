"""Gets a version's WSDL from VoipNow, with all that it imports, before anything is made of it.

Does not interpret it. Only documents below the version's own folder of the same server are fetched, whatever name of a
server stands in front of that folder: VoipNow may write another of its own names than the settings have. Whatever lies
elsewhere counts as an empty schema, so that nothing that a document says leads the bridge to another place.
"""

from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from phoneterm_bridge.pbx.voipnow.failures import LedElsewhere, NotDone, Refused
from phoneterm_bridge.pbx.voipnow.https_client import HttpsClient
from phoneterm_bridge.pbx.voipnow.safe_xml import parse_xml

PATH = "/soap2/schema/"
# Either a document for users and one for extensions, as the newest clients read them, or all of SystemAPI.
ENTRIES = (("User/User.wsdl", "Extension/Extension.wsdl"), ("voipnowservice.wsdl",))
_WSDL, _XSD = "http://schemas.xmlsoap.org/wsdl/", "http://www.w3.org/2001/XMLSchema"
_LEADING = {
    f"{{{_WSDL}}}import": "location",
    f"{{{_XSD}}}import": "schemaLocation",
    f"{{{_XSD}}}include": "schemaLocation",
    f"{{{_XSD}}}redefine": "schemaLocation",
}
_MOST_DOCUMENTS = 64
_MOST_BYTES = 16 * 1024 * 1024
_XML_SPACE = "http://www.w3.org/XML/1998/namespace"
_XML_SCHEMA = "https://www.w3.org/2001/xml.xsd"  # where zeep looks for it, whoever imports it without an address
_REFUSING = range(400, 500)
_NOT_THERE = 404
_FINE = 200


class NoDocuments(NotDone):
    """VoipNow answers, and has no WSDL there; the text says what there is instead, "" for nothing."""


class WsdlDocuments(NamedTuple):
    """The documents of one version, by their address; `entries` are the addresses of those to begin with."""

    version: str
    entries: tuple[str, ...]
    texts: dict[str, bytes]


async def read_documents(
    client: HttpsClient, url: str, version: str, names: tuple[str, ...] = ENTRIES[0]
) -> WsdlDocuments:
    """Return the documents of a version; NoDocuments when the server has none, else the errors of `failures`.

    names: of those to begin with, one of ENTRIES.
    """
    base = f"{PATH}{version}/"
    texts: dict[str, bytes] = {}
    entries = tuple(f"{url}{base}{name}" for name in names)
    try:
        for entry in entries:
            await _gather(client, base, entry, texts)
    except Refused as refused:
        if refused.status not in _REFUSING:
            raise
        raise NoDocuments("" if refused.status == _NOT_THERE else str(refused)) from None
    except LedElsewhere as elsewhere:
        raise NoDocuments(str(elsewhere)) from None
    return WsdlDocuments(version, entries, texts)


async def _gather(client: HttpsClient, base: str, entry: str, texts: dict[str, bytes]) -> None:
    """Fetch a document and all that it leads to. base: the path that all of it is below."""
    waiting = [entry]
    while waiting:
        address = waiting.pop()
        if address in texts:
            continue
        content = await _fetch(client, urlsplit(address)._replace(scheme="", netloc="", fragment="").geturl())
        texts[address] = content
        if len(texts) > _MOST_DOCUMENTS or sum(map(len, texts.values())) > _MOST_BYTES:
            raise NotDone("its WSDL is larger than any that is known")
        try:
            root = parse_xml(content)
        except ValueError as error:
            raise NoDocuments(f"its WSDL is {error}") from None
        for element in root.iter(*_LEADING):
            space, place = element.get("namespace", ""), element.get(_LEADING[str(element.tag)])
            if not place and space == _XML_SPACE:
                texts[_XML_SCHEMA] = _make_empty(space)
                continue
            try:
                found = urljoin(address, place) if place else address
                parts = urlsplit(found)
            except ValueError:
                raise NoDocuments("its WSDL leads to what is no address") from None
            if parts.path.startswith(base) and parts.scheme in ("http", "https"):
                waiting.append(found)
            else:
                texts[found] = _make_empty(space)


async def _fetch(client: HttpsClient, path: str) -> bytes:
    reply = await client.send_raw("GET", path, {})
    if reply.status != _FINE:
        raise Refused(reply.status, "")
    return reply.body


def _make_empty(space: str) -> bytes:
    from lxml import etree

    names = {"targetNamespace": space} if space else {}
    return etree.tostring(etree.Element(f"{{{_XSD}}}schema", names))
