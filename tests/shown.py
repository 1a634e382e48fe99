"""What a workbook shows, read from its XML without sheetnet."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from openpyxl.utils.cell import coordinate_to_tuple

Cells = dict[str, set[str]]
"""Sheet -> addresses."""

_CELL = re.compile(rb'<c ([^>]*r="([A-Z]+\d+)"[^>]*)>')


def sheets(path: Path) -> Iterator[tuple[str, bytes]]:
    """Each sheet's title and its XML, in the order of the workbook."""
    with zipfile.ZipFile(path) as package:
        titles = re.findall(r'<sheet [^>]*name="([^"]+)"', package.read("xl/workbook.xml").decode())
        for number, title in enumerate(titles, 1):
            yield title, package.read(f"xl/worksheets/sheet{number}.xml")


def errors(path: Path) -> Cells:
    """The cells that hold error values."""
    return {
        title: {where.decode() for head, where in _CELL.findall(xml) if b't="e"' in head}
        for title, xml in sheets(path)
    }


def formulas(path: Path) -> int:
    """How many cells hold formulas: as many as before, or something has been lost."""
    return sum(len(re.findall(rb"<f[ />]", xml)) for _, xml in sheets(path))


def extent(xml: bytes) -> tuple[int, int]:
    """The last row and the last column of a sheet."""
    cells = [coordinate_to_tuple(where.decode()) for _, where in _CELL.findall(xml)]
    return max(row for row, _ in cells), max(column for _, column in cells)
