"""A workbook's package taken apart by regular expressions, to put faults straight into its XML.

Nothing here comes from sheetnet: it reads what stands in the file, cell by cell.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from xml.sax.saxutils import escape, unescape

from openpyxl.formula.translate import Translator
from openpyxl.utils.cell import column_index_from_string as column_number
from openpyxl.utils.cell import coordinate_from_string, get_column_letter

_CELL = re.compile(r'<c r="([A-Z]+\d+)"((?: [a-z]+="[^"]*")*) ?(?:/>|>(.*?)</c>)', re.DOTALL)
_FORMULA = re.compile(r"<f((?: [a-z]+=\"[^\"]*\")*) ?(?:/>|>(.*?)</f>)", re.DOTALL)
_ATTRIBUTE = re.compile(r' ([a-z]+)="([^"]*)"')
_QUOTES = {"&quot;": '"'}
REFERENCE = re.compile(r"(?<![A-Za-z0-9_.$])(\$?)([A-Z]{1,3})(\$?)(\d{1,7})(?![\d(A-Za-z_.!])")

WORKBOOK = "xl/workbook.xml"


def place(address: str) -> tuple[int, int]:
    """Row and column of ``C5``."""
    letters, row = coordinate_from_string(address)
    return int(row), column_number(letters)


def at(row: int, column: int) -> str:
    """``C5`` of row 5, column 3."""
    return f"{get_column_letter(column)}{row}"


@dataclass(frozen=True)
class Cell:
    """One ``<c>`` element: its formula as it would read in it, its type, what it shows.

    ``start`` and ``end`` are its place in the part; ``shared`` the number of the shared
    formula that it belongs to, ``range`` what that is for, in the cell that holds its text.
    """

    address: str
    start: int
    end: int
    style: str
    kind: str
    formula: str | None
    content: str
    shared: str | None = None
    range: str | None = None

    @property
    def value(self) -> str | None:
        """What stands between ``<v>`` or ``<t>`` and its end."""
        found = re.search(r"<(?:v|t)[^>]*>(.*?)</(?:v|t)>", self.content, re.DOTALL)
        return None if found is None else unescape(found[1], _QUOTES)

    @property
    def number(self) -> float | None:
        """Its number, if it holds one."""
        return float(self.value) if self.kind == "n" and self.value is not None else None

    @property
    def empty(self) -> bool:
        """Whether nothing stands in it."""
        return self.formula is None and not self.content

    @property
    def relative(self) -> str | None:
        """The formula in R1C1 terms: equal where one was filled from the other."""
        if self.formula is None:
            return None
        row, column = place(self.address)

        def seen(match: re.Match[str]) -> str:
            r, c = int(match[4]), column_number(match[2])
            return (f"R{r}" if match[3] else f"R[{r - row}]") + (
                f"C{c}" if match[1] else f"C[{c - column}]"
            )

        return REFERENCE.sub(seen, self.formula)

    def with_content(self, formula: str | None, kind: str, content: str) -> Cell:
        """The cell with other contents, its formula its own."""
        return replace(self, formula=formula, kind=kind, content=content, shared=None, range=None)

    def xml(self) -> str:
        """The element, its formula written out."""
        style = f' s="{self.style}"' if self.style else ""
        formula = "" if self.formula is None else f"<f>{escape(self.formula)}</f>"
        return f'<c r="{self.address}"{style} t="{self.kind}">{formula}{self.content}</c>'


def shown(value: object) -> tuple[str, str]:
    """Type and content of a cell that shows a number or a text."""
    if isinstance(value, str):
        return "inlineStr", f"<is><t>{escape(value)}</t></is>"
    return "n", f"<v>{value!r}</v>"


@dataclass(frozen=True)
class Sheet:
    """One sheet's part, and its cells by address."""

    title: str
    part: str
    xml: str

    @cached_property
    def cells(self) -> dict[str, Cell]:
        """All cells; shared formulas as they read in each."""
        found: dict[str, Cell] = {}
        texts: dict[str, tuple[str, str]] = {}
        for match in _CELL.finditer(self.xml):
            address, inside = match[1], match[3] or ""
            attributes = dict(_ATTRIBUTE.findall(match[2] or ""))
            held = _FORMULA.search(inside)
            formula = shared = reach = None
            if held is not None:
                inside = inside[: held.start()] + inside[held.end() :]
                formula = unescape(held[2] or "", _QUOTES)
                about = dict(_ATTRIBUTE.findall(held[1] or ""))
                if about.get("t") == "shared":
                    shared, reach = about["si"], about.get("ref")
                    if formula:
                        texts[shared] = address, formula
                    origin, text = texts[shared]
                    formula = str(Translator(f"={text}", origin).translate_formula(address))[1:]
            found[address] = Cell(
                address,
                match.start(),
                match.end(),
                attributes.get("s", ""),
                attributes.get("t", "n"),
                formula,
                inside,
                shared,
                reach,
            )
        return found

    @cached_property
    def formulas(self) -> list[Cell]:
        """The cells with formulas."""
        return [cell for cell in self.cells.values() if cell.formula is not None]

    @cached_property
    def groups(self) -> dict[str, list[Cell]]:
        """Those that share a formula, by its number; the one with the text first."""
        found: dict[str, list[Cell]] = {}
        for cell in self.formulas:
            if cell.shared is not None:
                found.setdefault(cell.shared, []).append(cell)
        return found

    @cached_property
    def rows(self) -> dict[int, list[Cell]]:
        """The cells of each row."""
        found: dict[int, list[Cell]] = {}
        for cell in self.cells.values():
            found.setdefault(place(cell.address)[0], []).append(cell)
        return found

    def largest(self, cell: Cell) -> float:
        """The largest magnitude of numbers in the cell's column, at least 1."""
        column = place(cell.address)[1]
        numbers = [
            abs(other.number)
            for other in self.cells.values()
            if other.number is not None and place(other.address)[1] == column
        ]
        return max([1.0, *(number for number in numbers if number < 1e300)])

    def edited(self, edits: Mapping[str, str | None]) -> str:
        """The part with other elements for some cells, None: the element is gone.

        Where one of them held the text of a shared formula, the next one takes it over, as
        in a spreadsheet.
        """
        every: dict[str, str | None] = dict(edits)
        for group in self.groups.values():
            first, left = group[0], [cell for cell in group if cell.address not in edits]
            if first.address in edits and left:
                every[left[0].address] = self._heading(first, left)
        pieces, done = [], 0
        for address in sorted(every, key=lambda a: self.cells[a].start):
            cell = self.cells[address]
            pieces += [self.xml[done : cell.start], every[address] or ""]
            done = cell.end
        return "".join([*pieces, self.xml[done:]])

    @staticmethod
    def _heading(first: Cell, left: list[Cell]) -> str:
        cell = left[0]
        reach = f"{cell.address}:{left[-1].address}" if len(left) > 1 else cell.address
        shared = f'<f t="shared" ref="{reach}" si="{first.shared}">'
        plain = cell.xml()
        assert plain.count("<f>") == 1
        return plain.replace("<f>", shared)


@dataclass(frozen=True)
class Package:
    """A workbook: all of its parts, its sheets, its names."""

    path: Path
    parts: Mapping[str, bytes]
    sheets: Mapping[str, Sheet] = field(default_factory=dict)

    @staticmethod
    def read(path: Path) -> Package:
        """Take a file apart."""
        with zipfile.ZipFile(path) as file:
            parts = {name: file.read(name) for name in file.namelist()}
        book, relations = parts[WORKBOOK].decode(), parts["xl/_rels/workbook.xml.rels"].decode()
        targets = {}
        for element in re.findall(r"<Relationship [^>]*>", relations):
            about = dict(re.findall(r'(\w+)="([^"]*)"', element))
            targets[about["Id"]] = about["Target"].removeprefix("/xl/")
        sheets = {}
        for element in re.findall(r"<sheet [^>]*>", book):
            about = dict(re.findall(r'([\w:]+)="([^"]*)"', element))
            part = f"xl/{targets[about['r:id']]}"
            sheets[about["name"]] = Sheet(about["name"], part, parts[part].decode())
        return Package(path, parts, sheets)

    @property
    def workbook(self) -> str:
        """The part that names sheets and names."""
        return self.parts[WORKBOOK].decode()

    @cached_property
    def names(self) -> dict[str, str]:
        """The defined names of cells, and what they mean."""
        found = re.findall(r'<definedName name="(\w+)">([^<]*)</definedName>', self.workbook)
        return dict(found)

    def write(self, target: Path, parts: Mapping[str, str]) -> Path:
        """A copy with other parts."""
        assert parts.keys() <= self.parts.keys()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
            for name, content in self.parts.items():
                instead = parts.get(name)
                file.writestr(name, content if instead is None else instead.encode())
        return target

    def all_formulas(self) -> Iterator[tuple[Sheet, Cell]]:
        """Every cell with a formula, with its sheet."""
        for sheet in self.sheets.values():
            for cell in sheet.formulas:
                yield sheet, cell
