"""Gets a version's WSDL from VoipNow, with all that it imports, before anything is made of it.

Does not interpret it. Only documents below the version's own folder of the same server are fetched; whatever lies
elsewhere counts as an empty schema, so that nothing that a document says leads the bridge to another place.
"""

from typing import NamedTuple
from urllib.parse import urljoin

from phoneterm_bridge.pbx.voipnow.failures import NotDone, Refused
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
_NOT_THERE = 404
_FINE = 200


class WsdlDocuments(NamedTuple):
    """The documents of one version, by their address; `entries` are the addresses of those to begin with."""

    version: str
    entries: tuple[str, ...]
    texts: dict[str, bytes]


async def read_documents(
    client: HttpsClient, url: str, version: str, names: tuple[str, ...] = ENTRIES[0]
) -> WsdlDocuments | None:
    """Return the documents of a version, None when the server has none; else the errors of `failures`.

    names: of those to begin with, one of ENTRIES.
    """
    base = f"{url}{PATH}{version}/"
    texts: dict[str, bytes] = {}
    entries = tuple(base + name for name in names)
    try:
        for entry in entries:
            await _gather(client, url, base, entry, texts)
    except Refused as refused:
        if refused.status == _NOT_THERE:
            return None
        raise
    return WsdlDocuments(version, entries, texts)


async def _gather(client: HttpsClient, url: str, base: str, entry: str, texts: dict[str, bytes]) -> None:
    """Fetch a document and all that it leads to."""
    waiting = [entry]
    while waiting:
        address = waiting.pop()
        if address in texts:
            continue
        content = await _fetch(client, address.removeprefix(url))
        texts[address] = content
        if len(texts) > _MOST_DOCUMENTS or sum(map(len, texts.values())) > _MOST_BYTES:
            raise NotDone("its WSDL is larger than any that is known")
        try:
            root = parse_xml(content)
        except ValueError as error:
            raise NotDone(f"its WSDL is {error}") from None
        for element in root.iter(*_LEADING):
            place = element.get(_LEADING[str(element.tag)])
            found = urljoin(address, place) if place else address
            if found.startswith(base):
                waiting.append(found)
            else:
                texts[found] = _make_empty(element.get("namespace", ""))


async def _fetch(client: HttpsClient, path: str) -> bytes:
    reply = await client.send_raw("GET", path, {})
    if reply.status != _FINE:
        raise Refused(reply.status, "")
    return reply.body


def _make_empty(space: str) -> bytes:
    from lxml import etree

    names = {"targetNamespace": space} if space else {}
    return etree.tostring(etree.Element(f"{{{_XSD}}}schema", names))
