"""A copy of a workbook with other contents in some cells; all else stays as it is.

Cells are found by an XML parser and replaced byte by byte, so that the copy holds what
any application wrote there, whether or not sheetnet knows what it means.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from openpyxl.formula.translate import Translator

from sheetnet.errors import WorkbookError
from sheetnet.limits import escaped
from sheetnet.reader.cells import where
from sheetnet.reader.package import Package, open_package, reading, refuse_doctype
from sheetnet.regions import address, column_number

Place = tuple[int, int]
Content = float | str
"""A number, or a text."""


def edited_copy(
    package: Package, folder: Path, edits: Mapping[str, Mapping[Place, Content]]
) -> Package:
    """Write the copy into a folder, under the same name; ``edits``: sheet -> cell -> content.

    A formula that stood in such a cell is gone, and cells that shared it keep it as their
    own. Raises :class:`WorkbookError` where a cell is not there.
    """
    target = folder / package.path.name
    changes = {package.sheets[title]: (title, cells) for title, cells in edits.items() if cells}
    with (
        reading(package.path),
        zipfile.ZipFile(package.path) as old,
        zipfile.ZipFile(target, "w") as new,
    ):
        for name in old.namelist():
            content = old.read(name)
            if name in changes:
                content = _edited(content, *changes[name])
            new.writestr(name, content)
    return open_package(target)


@dataclass
class _Cell:
    """A cell element: its bytes, its start tag, its shared formula."""

    place: Place
    start: int
    tag: str
    attributes: dict[str, str]
    end: int = 0
    shared: str | None = None
    text: list[str] = field(default_factory=list)


@dataclass
class _Finder:
    """Expat handlers that note where all cells stand, and what formula they share."""

    content: bytes
    parser: expat.XMLParserType
    row: int = 0
    column: int = 0
    cell: _Cell | None = None
    inside: bool = False
    cells: list[_Cell] = field(default_factory=list)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "row":
            self.row = int(attributes.get("r", self.row + 1))
            self.column = 0
        elif name == "c":
            self._step(attributes.get("r"))
            at = self.parser.CurrentByteIndex
            self.cell = _Cell((self.row, self.column), at, tag, attributes)
        elif name == "f" and self.cell is not None and attributes.get("t") == "shared":
            self.cell.shared = attributes.get("si", "")
            self.inside = True

    def _step(self, reference: str | None) -> None:
        self.column += 1
        if reference is None:
            return
        letters = reference.rstrip("0123456789")
        self.row, self.column = int(reference[len(letters) :]), column_number(letters)

    def data(self, text: str) -> None:
        if self.inside and self.cell is not None:
            self.cell.text.append(text)

    def end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        if name == "f":
            self.inside = False
        elif name == "c" and self.cell is not None:
            at = self.parser.CurrentByteIndex
            # At its closing tag; or behind it, where it is one empty tag.
            closing = self.content.startswith(f"</{tag}".encode(), at)
            self.cell.end = self.content.index(b">", at) + 1 if closing else at
            self.cells.append(self.cell)
            self.cell = None


def _edited(content: bytes, title: str, edits: Mapping[Place, Content]) -> bytes:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    finder = _Finder(content, parser)
    parser.StartElementHandler, parser.EndElementHandler = finder.start, finder.end
    parser.CharacterDataHandler = finder.data
    parser.StartDoctypeDeclHandler = refuse_doctype
    parser.Parse(content, True)
    cells = {cell.place: cell for cell in finder.cells}
    missing = next((place for place in edits if place not in cells), None)
    if missing is not None:
        raise WorkbookError(f"{where(title, *missing)} is not there to be changed")
    instead = {place: _value(cells[place], content) for place, content in edits.items()}
    for place in edits:
        first = cells[place]
        if first.shared is None or not "".join(first.text):
            continue
        for cell in finder.cells:
            if cell.shared == first.shared and cell.place not in edits:
                instead[cell.place] = _own(cell, first)
    pieces, done = [], 0
    for cell in finder.cells:
        if cell.place in instead:
            pieces += [content[done : cell.start], instead[cell.place].encode()]
            done = cell.end
    return b"".join([*pieces, content[done:]])


def _value(cell: _Cell, content: Content) -> str:
    prefix = cell.tag[: -len("c")]
    if isinstance(content, str):
        text = f"<{prefix}is><{prefix}t>{escape(escaped(content))}</{prefix}t></{prefix}is>"
        return _element(cell, "inlineStr", text)
    return _element(cell, "n", f"<{prefix}v>{float(content)!r}</{prefix}v>")


def _own(cell: _Cell, first: _Cell) -> str:
    """The cell with the formula that it shared with ``first``, written out."""
    prefix, origin = cell.tag[: -len("c")], address(*first.place)
    text = Translator(f"={''.join(first.text)}", origin).translate_formula(address(*cell.place))
    return _element(cell, "n", f"<{prefix}f>{escape(str(text)[1:])}</{prefix}f>")


def _element(cell: _Cell, kind: str, inside: str) -> str:
    style = f" s={quoteattr(cell.attributes['s'])}" if "s" in cell.attributes else ""
    place = address(*cell.place)
    return f'<{cell.tag} r="{place}"{style} t="{kind}">{inside}</{cell.tag}>'
