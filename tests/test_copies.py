"""Copies of workbooks for engines: without conditional formats, all else byte for byte."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

import sheetnet
from sheetnet.recalc.copies import copied
from sheetnet.recalc.ironcalc_engine import readable

ROWS = b'<row r="1"><c r="A1"><v>1</v></c></row>'
FORMATS = (
    b'<conditionalFormatting sqref="A1"><cfRule type="colorScale" priority="1"/>'
    b"</conditionalFormatting>"
)


def trimmed(folder: Path, sheet: bytes) -> bytes:
    """What the copy of a sheet holds."""
    with zipfile.ZipFile(folder / "one.xlsx", "w") as book:
        book.writestr("xl/worksheets/sheet1.xml", sheet)
        book.writestr("xl/other.xml", sheet)
    copied(folder / "one.xlsx", folder / "two.xlsx", {}, formats=False)
    with zipfile.ZipFile(folder / "two.xlsx") as book:
        assert book.read("xl/other.xml") == sheet
        return book.read("xl/worksheets/sheet1.xml")


def test_nothing_but_formats_is_missing(tmp_path: Path) -> None:
    """Of a real workbook: each part, and each byte of the rows."""
    path = Path(__file__).parent.parent / "workbooks" / "xor.xlsx"
    found = 0
    with readable(path) as copy, zipfile.ZipFile(path) as old, zipfile.ZipFile(copy) as new:
        assert old.namelist() == new.namelist()
        for name in old.namelist():
            before, after = old.read(name), new.read(name)
            if name.startswith("xl/worksheets/sheet"):
                found += b"<conditionalFormatting" in before
                assert b"<conditionalFormatting" not in after
                rows = before[: before.index(b"</sheetData>")]
                assert after.startswith(rows)
                assert len(before) - len(after) == lost(before)
            elif not name.endswith(".rels"):
                assert before == after
    assert found
    assert sheetnet.verify(path).agree


def lost(sheet: bytes) -> int:
    """Bytes of the conditional formats of a sheet."""
    whole = 0
    while b"<conditionalFormatting" in sheet:
        first = sheet.index(b"<conditionalFormatting")
        end = sheet.index(b"</conditionalFormatting>") + len(b"</conditionalFormatting>")
        whole += end - first
        sheet = sheet[end:]
    return whole


def test_formats_behind_the_rows_go(tmp_path: Path) -> None:
    """All of them, and nothing else."""
    head = b"<sheetData>" + ROWS * 40_000 + b"</sheetData>"
    assert trimmed(tmp_path, head + FORMATS * 2 + b"<x/>") == head + b"<x/>"


def test_the_end_of_the_rows_across_pieces(tmp_path: Path) -> None:
    """A piece of a mebibyte ends within the tag."""
    for inside in range(13):
        fill = (1 << 20) - len(b"<sheetData>") - inside
        head = b"<sheetData>" + b" " * fill + b"</sheetData>"
        assert trimmed(tmp_path, head + FORMATS + b"<x/>") == head + b"<x/>"


@pytest.mark.parametrize(
    "sheet",
    [
        # What an application takes for rows, between two comments that look like formats.
        b"<!-- </sheetData><conditionalFormatting > --><sheetData>"
        + ROWS
        + b"</sheetData><!-- </conditionalFormatting> -->",
        b"<sheetData></sheetData><!-- " + FORMATS + b" -->",
        b"<sheetData><![CDATA[</sheetData>" + FORMATS + b"]]>" + ROWS + b"</sheetData>",
        b"<sheetData/>" + FORMATS,
        b"<sheetData></sheetData><conditionalFormatting>",
    ],
)
def test_what_may_be_text_stays(tmp_path: Path, sheet: bytes) -> None:
    """No row can be hidden from the engine in this way."""
    assert trimmed(tmp_path, sheet) == sheet
