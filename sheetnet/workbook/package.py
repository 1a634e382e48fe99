"""From openpyxl's skeleton to the finished file, moved into place in one step.

The skeleton is unpacked part by part: sheets get their streamed rows, exact numbers
and the values of their formulas; the document properties say who wrote it, with a
fixed date, so that the same spec gives the same bytes.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree

from openpyxl import Workbook
from openpyxl.drawing.spreadsheet_drawing import SpreadsheetDrawing
from openpyxl.utils import coordinate_to_tuple
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.writer.excel import ExcelWriter

from sheetnet.limits import MAX_TEXT, cut, escaped
from sheetnet.output import check_target, in_place_of, said
from sheetnet.regions import address
from sheetnet.workbook import deflate
from sheetnet.workbook.rows import bytes_at_most, row_xml, shared_formulas
from sheetnet.workbook.stream import ERROR, Beside, Stream

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
APPLICATION = "sheetnet"
DATE = "2000-01-01T00:00:00Z"

Cached = Mapping[tuple[str, int, int], float | str]
"""(sheet, row, column) -> the value of a formula that openpyxl holds."""

Streams = Mapping[str, Sequence[Stream]]
"""Sheet -> its streams, from the top down; what openpyxl holds left of their columns stays."""


def save(book: Workbook, path: Path, streams: Streams, cached: Cached, *, overwrite: bool) -> None:
    """Write the workbook to ``path``, all of it or nothing.

    Raises :class:`OutputError` where the folder is missing, not writable or full, or
    where the file exists and must not be replaced.
    """
    check_target(path, overwrite=overwrite)
    skeleton = saved(book)
    with said(path), in_place_of(path, overwrite=overwrite) as file:
        with zipfile.ZipFile(skeleton) as source, zipfile.ZipFile(file, "w") as target:
            _copy(book, source, target, streams, cached)


class _InMemory(ExcelWriter):
    """openpyxl's writer without its temporary files, which a killed process leaves behind."""

    def write_worksheet(self, ws: Any) -> None:
        ws._drawing = SpreadsheetDrawing()
        ws._drawing.charts, ws._drawing.images = ws._charts, ws._images
        content = io.BytesIO()
        writer: Any = WorksheetWriter(ws, content)
        writer.write()
        ws._rels = writer._rels
        self._archive.writestr(ws.path[1:], content.getvalue())  # type: ignore[attr-defined]
        self.manifest.append(ws)


def saved(book: Workbook) -> io.BytesIO:
    """What openpyxl makes of a workbook, in memory."""
    file = io.BytesIO()
    _InMemory(book, zipfile.ZipFile(file, "w")).save()
    return file


def _copy(
    book: Workbook,
    source: zipfile.ZipFile,
    target: zipfile.ZipFile,
    streams: Streams,
    cached: Cached,
) -> None:
    titles = {
        f"xl/worksheets/sheet{index}.xml": title for index, title in enumerate(book.sheetnames, 1)
    }
    for part in source.namelist():
        content = source.read(part)
        info = zipfile.ZipInfo(part, date_time=(1980, 1, 1, 0, 0, 0))
        info.external_attr = 0o600 << 16
        found = streams.get(titles.get(part, ""), ())
        large = len(content) + sum(map(bytes_at_most, found)) > deflate.LARGE
        with deflate.part(target, info, large=large) as out:
            if part in titles:
                _sheet(out, content, book, titles[part], found, cached)
            elif part == "docProps/app.xml":
                out.write(_application())
            elif part == "docProps/core.xml":
                out.write(re.sub(rb">\d{4}-\d\d-\d\dT[^<]*<", f">{DATE}<".encode(), content))
            elif part.startswith("xl/worksheets/_rels/"):
                # Relative, as Excel writes them: some readers take no others for comments.
                out.write(content.replace(b'Target="/xl/', b'Target="../'))
            elif part.startswith("xl/comments/"):
                out.write(escaped(content.decode()).encode())
            else:
                out.write(content)


def _application() -> bytes:
    properties = "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"
    return (
        f'<Properties xmlns="{properties}"><Application>{APPLICATION}</Application></Properties>'
    ).encode()


def _sheet(
    out: IO[bytes],
    content: bytes,
    book: Workbook,
    title: str,
    streams: Sequence[Stream],
    cached: Cached,
) -> None:
    ElementTree.register_namespace("", MAIN)
    ElementTree.register_namespace("r", RELATIONS)
    root = ElementTree.fromstring(content)
    data = root.find(f"{{{MAIN}}}sheetData")
    assert data is not None
    for row in data:
        for cell in row:
            _exact(cell, book, title, int(row.attrib["r"]), cached)
            for text in cell.iter(f"{{{MAIN}}}t"):
                text.text = escaped(cut(text.text or "", MAX_TEXT))
    for n, stream in enumerate(streams):
        _make_room(data, stream, n)
    if streams:
        _extend(root, streams)
    text = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    index = 0
    for n, stream in enumerate(streams):
        head, start, rest = text.partition(_mark(n, "start"))
        kept, end, text = rest.partition(_mark(n, "end"))
        assert start and end
        out.write(head)
        for chunk in row_xml(stream, dict(_beside(kept)), index):
            out.write(chunk)
        index += shared_formulas(stream)
    out.write(text)


def _make_room(data: ElementTree.Element, stream: Stream, n: int) -> None:
    """Put marks around a stream's rows; of these only what stands left of it stays."""
    rows = [row for row in data if row.attrib["r"].isdigit()]
    above = [row for row in rows if int(row.attrib["r"]) < stream.first_row]
    kept = 0
    for row in rows[len(above) :]:
        if int(row.attrib["r"]) > stream.last_row:
            break
        for cell in list(row):
            if coordinate_to_tuple(cell.attrib["r"])[1] >= stream.columns[0].column:
                row.remove(cell)
        if len(row):
            kept += 1
        else:
            data.remove(row)
    # The head of each stream stands right above it.
    at = list(data).index(above[-1]) + 1
    data.insert(at, ElementTree.Element(f"{{{MAIN}}}row", {"r": f"0{n} start"}))
    data.insert(at + 1 + kept, ElementTree.Element(f"{{{MAIN}}}row", {"r": f"0{n} end"}))


def _mark(n: int, what: str) -> bytes:
    return f'<row r="0{n} {what}" />'.encode()


def _beside(kept: bytes) -> Iterator[tuple[int, Beside]]:
    """Row -> what stands left of a stream."""
    for row in re.finditer(r'<row r="(\d+)"([^>]*)>(.*?)</row>', kept.decode(), re.DOTALL):
        yield int(row[1]), Beside(re.sub(r' spans="[^"]*"', "", row[2]), row[3])


def _extend(root: ElementTree.Element, streams: Sequence[Stream]) -> None:
    """Say how far the sheet reaches: readers trust it."""
    dimension = root.find(f"{{{MAIN}}}dimension")
    assert dimension is not None
    cells = (coordinate_to_tuple(cell.attrib["r"]) for cell in root.iter(f"{{{MAIN}}}c"))
    ends = [*cells, *((stream.last_row, stream.last_column) for stream in streams)]
    last = address(max(row for row, _ in ends), max(column for _, column in ends))
    dimension.set("ref", f"A1:{last}")


def _exact(cell: ElementTree.Element, book: Workbook, title: str, row: int, cached: Cached) -> None:
    """Give a number all its digits and a formula its value."""
    number = cell.find(f"{{{MAIN}}}v")
    if number is None:
        return
    held = book[title][cell.attrib["r"]]
    if cell.find(f"{{{MAIN}}}f") is not None:
        value = cached[(title, row, held.column)]
        if isinstance(value, str):
            cell.set("t", "str")
            number.text = escaped(value)
        elif math.isnan(value):
            cell.set("t", "e")
            number.text = ERROR
        else:
            number.text = repr(value + 0.0)
    elif isinstance(held.value, float):
        number.text = repr(held.value + 0.0)
