"""The WSDL and the XSDs of the stand-in's SystemAPI, for each version of it, and what fits them. Serves nothing.

The files in `schema` are written from what documents and clients tell of the operations used; `$name` stands for a
namespace or the server's address. In the version `latest` the header has a namespace with the server's own address.
"""

from collections.abc import Iterator
from pathlib import Path
from string import Template

from lxml import etree

PATH = "/soap2/schema/"
VERSIONS = ("latest", "5.2.5", "3.0.0")
_FOLDER = Path(__file__).parent / "schema"
_ENTITIES = ("User", "Extension")


class Schemas:
    """The documents of all versions, for a server at `url`. folder: where they are written, so that they find each
    other."""

    def __init__(self, url: str, folder: Path) -> None:
        """Write the documents."""
        self._url = url
        self._folder = folder
        self._checks: dict[str, etree.XMLSchema] = {}
        for version in VERSIONS:
            names = self.names(version)
            for source in sorted(_FOLDER.rglob("*.*")):
                target = folder / version / source.relative_to(_FOLDER)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(Template(source.read_text()).substitute(names))

    def names(self, version: str) -> dict[str, str]:
        """Return what the documents of a version have in place of each `$name`."""
        header = "http://4psa.com/HeaderData.xsd/"
        if version == "latest":
            header = f"{self._url}{PATH}latest/HeaderData.xsd"
        names = {"version": version, "url": self._url, "common": f"http://4psa.com/Common.xsd/{version}"}
        names |= {"header": header if version == "latest" else header + version}
        names |= {"service": f"http://4psa.com/VoipNow/{version}"}
        for entity in _ENTITIES:
            low = entity.lower()
            names |= {f"{low}_{part.lower()}": f"http://4psa.com/{entity}{part}.xsd/{version}" for part in _PARTS}
            names |= {f"{low}_service": f"http://4psa.com/{entity}/{version}"}
        return names

    def read(self, path: str) -> bytes | None:
        """Return the document at a path of the server; None where there is none."""
        wanted = (self._folder / path.removeprefix(PATH)).resolve()
        is_inside = wanted.is_relative_to(self._folder.resolve()) and path.startswith(PATH)
        return wanted.read_bytes() if is_inside and wanted.is_file() else None

    def version_of(self, element: etree._Element) -> str | None:
        """Return the version whose messages an element belongs to."""
        space = etree.QName(element).namespace or ""
        return next((one for one in VERSIONS if space.endswith(f"Messages.xsd/{one}")), None)

    def mistakes(self, version: str, element: etree._Element) -> Iterator[str]:
        """Yield where an element of a message does not fit the XSDs of a version."""
        check = self._check(version)
        if not check.validate(element):
            yield from (f"{one.line}: {one.message}" for one in check.error_log)

    def _check(self, version: str) -> etree.XMLSchema:
        if version not in self._checks:
            names = self.names(version)
            imports = {names["header"]: "HeaderData.xsd"}
            imports |= {names[f"{one.lower()}_messages"]: f"{one}/{one}Messages.xsd" for one in _ENTITIES}
            lines = (f'<import namespace="{name}" schemaLocation="{file}"/>' for name, file in imports.items())
            text = f'<schema xmlns="http://www.w3.org/2001/XMLSchema">{"".join(lines)}</schema>'
            root = etree.fromstring(text, base_url=f"{self._folder / version}/all.xsd")
            self._checks[version] = etree.XMLSchema(root)
        return self._checks[version]


_PARTS = ("Data", "Messages")
