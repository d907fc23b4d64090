"""A sheet of paper to draw a wiring on: boxes, lines, letters and electrical symbols at given places.

Does not know boards. x runs to the right and y up, in schemdraw's units; letters become lines, so that a picture looks
the same without an installed font. Later elements cover earlier ones.
"""

import re

import resvg_py
import schemdraw
import schemdraw.elements as symbols
from schemdraw.segments import Segment, SegmentPoly, SegmentText
from schemdraw.transform import Transform
from schemdraw.types import BBox

INK = "#22303c"
FAINT = "#7d8a97"
PAPER = "#ffffff"
_WIRE_WIDTH = 2.2
_SYMBOL_WIDTH = 1.6
_PNG_ZOOM = 2.0
_PNG_DPI = 96.0  # turns the picture's points into pixels

Point = tuple[float, float]


class _TextOnPaper(SegmentText):
    """A line of text that a box lies under, so the picture's edges do not depend on it: it is drawn, never measured.

    Measuring all texts takes twice as long as drawing the picture.
    """

    def xform(self, transform: Transform, **_style: object) -> "_TextOnPaper":
        """Return the text at its place in the picture, to be asked for its bounds."""
        return _TextOnPaper(transform.transform(self.xy), self.text)

    def get_bbox(self) -> BBox:
        """Return the place alone."""
        return BBox(self.xy[0], self.xy[1], self.xy[0], self.xy[1])


class Sheet:
    """One picture in the making."""

    def __init__(self) -> None:
        schemdraw.use("svg")
        self._drawing = schemdraw.Drawing(show=False, unit=2, inches_per_unit=0.4, fontsize=11, color=INK)

    def box(
        self, left: float, top: float, right: float, bottom: float, fill: str, *, edge: str = INK, layer: int = 1
    ) -> None:
        """Draw a box; wires are on layer 2."""
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        element = symbols.Element()
        element.segments.append(
            SegmentPoly(corners, fill=fill, color=edge, lw=_SYMBOL_WIDTH, zorder=layer, joinstyle="round")
        )
        self._add(element)

    def wire(self, *points: Point, color: str = INK, width: float = _WIRE_WIDTH) -> None:
        """Draw a line from point to point."""
        element = symbols.Element()
        element.segments.append(Segment(list(points), color=color, lw=width, zorder=2, joinstyle="round"))
        self._add(element)

    def dot(self, at: Point, color: str) -> None:
        """Draw a solder point."""
        self._drawing.add(symbols.Dot(radius=0.075).at(at).color(color).fill(color))

    def text(self, at: Point, text: str, *, size: float = 11, align: str = "center", color: str = INK) -> None:
        """Write a line of text, its middle at the height of `at`; `align` says which end `at` is."""
        element = symbols.Element()
        element.segments.append(
            _TextOnPaper(at, text, align=(align, "center"), fontsize=size, color=color, zorder=4)  # type: ignore[arg-type]
        )
        self._add(element)

    def symbol(self, symbol: symbols.Element, start: Point, end: Point | None = None) -> None:
        """Draw an electrical symbol, from one point to another if it has two ends."""
        symbol = symbol.at(start).linewidth(_SYMBOL_WIDTH)
        if end is not None:
            assert isinstance(symbol, symbols.Element2Term)
            symbol = symbol.to(end)
        self._drawing.add(symbol)

    def _add(self, element: symbols.Element) -> None:
        """Add an element, with the sheet's coordinates."""
        self._drawing.add(element.at((0, 0)).theta(0))

    def svg(self) -> str:
        """Return the picture as SVG; the same picture is always the same text."""
        self._drawing.draw(show=False)
        return _define_letters_once(self._drawing.get_imagedata("svg").decode()) + "\n"


def _define_letters_once(svg: str) -> str:
    """Leave out repeated definitions of a letter: only the first one counts, and they are most of the file."""
    seen: set[str] = set()

    def take(found: re.Match[str]) -> str:
        if found["id"] in seen:
            return ""
        seen.add(found["id"])
        return found[0]

    return re.sub(r'<symbol id="(?P<id>[^"]+)"[^>]*?(?:/>|>.*?</symbol>)', take, svg, flags=re.DOTALL)


def make_png(svg: str) -> bytes:
    """Return an SVG picture as PNG."""
    return resvg_py.svg_to_bytes(svg_string=svg, background=PAPER, zoom=_PNG_ZOOM, dpi=_PNG_DPI, skip_system_fonts=True)
