"""Makes SystemAPI's requests and reads its answers as a WSDL says, with zeep. Sends nothing and fetches nothing.

Where a request goes is the path that the WSDL names, at the server of the settings, whatever server the WSDL names. The
token stands in the header whose namespace the WSDL has. ValueError for whatever is not as it should be.
"""

import logging
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import zeep
from lxml import etree
from zeep.exceptions import Fault
from zeep.settings import Settings

from phoneterm_bridge.pbx.voipnow.safe_xml import parse_xml
from phoneterm_bridge.pbx.voipnow.wsdl_documents import WsdlDocuments

OPERATIONS = ("GetUserPL", "UpdateUserPL", "GetUsers", "GetExtensions", "GetExtensionDetails")
_CREDENTIALS = "userCredentials"
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_FINE = 200
_MOST_CHARS = 200


class Prepared(NamedTuple):
    """A request that can be sent."""

    path: str
    headers: dict[str, str]
    content: bytes


_ABOUT_THE_APP = tuple(str(number) for number in range(100, 109))


class SystemFault(Exception):
    """SystemAPI answered with a fault. number: VoipNow's, "" where it has none; is_version: it is about the version."""

    def __init__(self, number: str, text: str, is_version: bool = False) -> None:
        """Keep what was answered."""
        shown = "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in text[:80])
        super().__init__(f"fault {number}: {shown}" if number else f"fault: {shown}")
        self.number = number
        self.is_version = is_version

    @property
    def is_about_app(self) -> bool:
        """Say whether it is about the token, or about what the app may do at all."""
        return self.number in _ABOUT_THE_APP


class _Documents:
    """Stands in for zeep's way to the network."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = texts

    def load(self, url: str) -> bytes:
        """Return a document that was fetched; there are no others."""
        try:
            return self._texts[url]
        except KeyError:
            raise ValueError(f"its WSDL leads to {str(url)[:80]}, where the bridge does not go") from None


class _Answer(NamedTuple):
    """An answer as zeep reads it."""

    status_code: int
    content: bytes
    headers: dict[str, str]
    encoding: str = "utf-8"


class SoapMessages:
    """The messages of one version."""

    def __init__(self, documents: WsdlDocuments) -> None:
        """Make what the documents say; it takes long. ValueError when they do not have the operations."""
        logging.getLogger("zeep").setLevel(logging.CRITICAL)  # it would log what VoipNow says, with tracebacks
        warnings.filterwarnings("ignore", category=UserWarning, module="zeep")  # and so would these
        self.version = documents.version
        transport = _Documents(documents.texts)
        settings = Settings(strict=False, forbid_dtd=True, forbid_entities=True)
        try:
            clients = [zeep.Client(entry, transport=transport, settings=settings) for entry in documents.entries]
            self._services = {name: (client, service) for client in clients for name, service in _services_of(client)}
            self._header = next(
                one for client in clients for one in client.wsdl.types.elements if one.name == _CREDENTIALS
            )
        except ValueError:
            raise
        except Exception as error:  # zeep has many ways to stumble over a document that is none
            raise ValueError(f"its WSDL is not understood ({type(error).__name__})") from None
        if missing := [name for name in OPERATIONS if name not in self._services]:
            raise ValueError(f"its WSDL has no {missing[0]}")

    def prepare(self, operation: str, token: str, fields: Mapping[str, object]) -> Prepared:
        """Return a request."""
        client, service = self._services[operation]
        try:
            envelope = client.create_message(
                service, operation, _soapheaders=[self._header(accessToken=token)], **dict(fields)
            )
        except Exception as error:
            shown = "".join(letter if letter.isprintable() else "?" for letter in str(error)[:_MOST_CHARS])
            raise ValueError(f"its WSDL does not take the request {operation} ({shown})") from None
        action = service._binding.get(operation).soapaction
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}
        path = urlsplit(service._binding_options["address"]).path
        return Prepared(path, headers, etree.tostring(envelope, xml_declaration=True, encoding="utf-8"))

    def read(self, operation: str, status: int, content: bytes, token: str = "") -> Any:
        """Return what is in the body of an answer; SystemFault when it is a fault. token: is never shown, with it."""
        root = parse_xml(content)
        if status != _FINE and root.find(f"{{{_ENVELOPE}}}Body/{{{_ENVELOPE}}}Fault") is None:
            raise ValueError(f"nothing of SystemAPI (status {status})")
        client, service = self._services[operation]
        answer = _Answer(status, content, {"Content-Type": "text/xml"})
        binding = service._binding
        try:
            found = binding.process_reply(client, binding.get(operation), answer)
        except Fault as fault:
            raise _read_fault(fault, token) from None
        except Exception as error:  # such as a decimal number that is none
            raise ValueError(f"something else than its WSDL says ({type(error).__name__})") from None
        return getattr(found, "body", found)


def _services_of(client: zeep.Client) -> list[tuple[str, Any]]:
    """Return every operation of a WSDL with the service that has it."""
    found = []
    for service in client.wsdl.services.values():
        for port in service.ports.values():
            bound = client.bind(service.name, port.name)
            found += [(name, bound) for name in port.binding._operations]
    return found


def _read_fault(fault: Fault, token: str) -> SystemFault:
    detail = "" if fault.detail is None else " ".join(fault.detail.itertext())
    said = (str(fault.code or ""), detail, str(fault.message or ""))
    code, detail, text = (one.replace(token, "...") if token else one for one in said)
    number = next((word for place in (code, detail, text) if (word := _number_in(place))), "")
    return SystemFault(number, text, "VersionMismatch" in code)


def _number_in(text: str) -> str:
    words = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in text).split()
    return next((word for word in words if word.isdecimal() and len(word) <= 4), "")
