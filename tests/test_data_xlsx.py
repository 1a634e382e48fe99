"""Tables from workbooks: the sheet, what its cells may hold, and files that are broken."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from support import make_spec

from sheetnet.data import Table, load_table
from sheetnet.errors import SheetnetError

ROWS = [["a", "b", "y"], [1, 2, 0], [3, 4.5, 1]]
SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "d.xlsx"


def write(file: Path, **sheets: list[list[Any]]) -> None:
    """A workbook as openpyxl writes it: formulas have no saved values."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(file)


def load(file: Path, **data: Any) -> Table:
    data.setdefault("target", "y")
    spec = make_spec(source=file.name, data=data, folder=file.parent)
    return load_table(spec.data, spec.folder, 0, labelled=False)


def complaint(file: Path, *words: str, **data: Any) -> None:
    with pytest.raises(SheetnetError) as caught:
        load(file, **data)
    message = str(caught.value)
    assert message == " ".join(message.split())  # one line
    for word in (file.name, *words):
        assert word in message


def test_the_first_sheet_is_the_default(file: Path) -> None:
    write(file, one=ROWS, two=[["a", "y"], [9, 9]])
    table = load(file)
    assert table.input_names == ("a", "b")
    assert table.inputs.tolist() == [[1.0, 2.0], [3.0, 4.5]]
    assert table.targets is not None
    assert table.targets.tolist() == [[0.0], [1.0]]


def test_a_sheet_is_chosen_by_name(file: Path) -> None:
    write(file, one=ROWS, two=[["a", "y"], [9, 8]])
    assert load(file, sheet="two").inputs.tolist() == [[9.0]]


def test_an_unknown_sheet_names_the_nearest(file: Path) -> None:
    write(file, measurements=ROWS, notes=ROWS)
    complaint(file, "'mesurements'", "did you mean 'measurements'", "notes", sheet="mesurements")


def test_upper_case_suffix(file: Path) -> None:
    file = file.with_suffix(".XLSX")
    write(file, one=ROWS)
    assert load(file).rows == 2


def test_numbers_keep_all_their_digits(file: Path) -> None:
    values = [0.1 + 0.2, 1 / 3, 1e-300, 123456789.12345679]
    write(file, one=[["a", "y"], *([value, 1] for value in values)])

    # openpyxl itself writes 16 digits, so put the exact ones into the file.
    def exact(xml: bytes) -> bytes:
        for value in values:
            xml = xml.replace(f"<v>{value:.16g}</v>".encode(), f"<v>{value!r}</v>".encode())
        return xml

    damage(file, SHEET, exact)
    assert load(file).inputs[:, 0].tolist() == values


def test_texts_that_look_like_numbers_are_numbers_as_in_csv(file: Path) -> None:
    write(file, one=[["a", "y"], ["1.5", 0], [" 2 ", 1]])
    assert load(file).inputs[:, 0].tolist() == [1.5, 2.0]


def test_blank_rows_and_columns_at_the_edge(file: Path) -> None:
    write(file, one=[["a", "y", None], [1, 2, None], [None, None, " "], [], [3, 4]])
    assert load(file).inputs[:, 0].tolist() == [1.0, 3.0]


@pytest.mark.parametrize(
    ("cell", "words"),
    [("=1+1", "empty"), (dt.datetime(2024, 5, 1), "2024-05-01"), (dt.date(2024, 5, 1),
     "2024-05-01"), (dt.time(10, 30), "10:30"), (True, "True"), ("#N/A", "'#N/A'"),
     (None, "empty"), ("text", "'text'")],
)  # fmt: skip
def test_a_cell_that_is_no_number(file: Path, cell: Any, words: str) -> None:
    write(file, one=[["a", "b", "y"], [1, 1, 0], [2, cell, 1]])
    complaint(file, "row 2", "column 'b'", words, inputs=["a", "b"])


def test_columns_of_dates_and_booleans_are_no_inputs(file: Path) -> None:
    day = dt.date(2024, 5, 1)
    write(file, one=[["a", "day", "flag", "y"], [1, day, True, 0], [2, day, False, 1]])
    assert load(file).input_names == ("a",)


def test_booleans_can_be_classes(file: Path) -> None:
    write(file, one=[["a", "y"], [1, True], [2, False]])
    assert load(file).labels == ("True", "False")


def test_a_formula_with_a_saved_value_is_its_value(file: Path) -> None:
    write(file, one=[["a", "y"], ["=1+1", 0], [3, 1]])
    damage(file, SHEET, lambda xml: re.sub(rb"(</f>)<v(?: ?/>|></v>)", rb"\1<v>2</v>", xml))
    assert load(file).inputs[:, 0].tolist() == [2.0, 3.0]


@pytest.mark.parametrize(
    ("rows", "words"),
    [([], "empty"), ([["a", "b", "y"]], "no rows"), ([[1, 2], [3, 4]], "numbers"),
     ([["a", None, "y"], [1, 2, 3]], "column 2 has no name"), ([["a", "a"], [1, 2]], "named 'a'"),
     ([["a", "y"], [1, 2, 3]], "3 cells")],
)  # fmt: skip
def test_bad_sheets(file: Path, rows: list[list[Any]], words: str) -> None:
    write(file, one=rows)
    complaint(file, words)


# --- broken packages: one line, whatever the library raises


def damage(file: Path, part: str, change: Callable[[bytes], bytes] | None) -> None:
    """Rewrite one part of the package, or leave it out."""
    with zipfile.ZipFile(file) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    assert part in parts
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            if name != part:
                package.writestr(name, content)
            elif change is not None:
                package.writestr(name, change(content))


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", SHEET,
                                  "[Content_Types].xml"])  # fmt: skip
@pytest.mark.parametrize("change", [None, lambda xml: xml[: len(xml) // 2], lambda xml: b"",
                                    lambda xml: b"<a/>"],
                         ids=["missing", "cut", "empty", "another"])  # fmt: skip
def test_broken_parts(file: Path, part: str, change: Callable[[bytes], bytes] | None) -> None:
    write(file, one=ROWS)
    damage(file, part, change)
    complaint(file)


@pytest.mark.parametrize("part", ["xl/styles.xml", "xl/theme/theme1.xml", "docProps/core.xml"])
def test_broken_lesser_parts_never_show_a_traceback(file: Path, part: str) -> None:
    # A reader may do without these; if it does not, it must say so in one line.
    write(file, one=ROWS)
    damage(file, part, lambda xml: xml[: len(xml) // 2])
    try:
        load(file)
    except SheetnetError as error:
        assert file.name in str(error)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"<v>2</v>", b"<v>two</v>"), (b"<v>2</v>", b"<v>" + b"1" * 400 + b"</v>"),
     (b"<v>2</v>", b"<v>" + b"1" * 5000 + b"</v>"), (b"<v>2</v>", b"<v>1e999</v>"),
     (b"<v>2</v>", b"<v>nan</v>"), (b'r="B2"', b'r="?!"'), (b'r="B2"', b'r="2"'),
     (b'<row r="2"', b'<row r="x"'), (b"<worksheet", b"<!DOCTYPE w [<!ENTITY e 'x'>]><worksheet"),
     (b'r="B2" t="n"', b'r="B2" t="s"'), (b'r="B2" t="n"', b'r="B2" t="d"')],
    ids=["text", "400 digits", "5000 digits", "overflow", "nan", "reference", "no column", "row",
         "doctype", "string index", "date"],
)  # fmt: skip
def test_broken_cells(file: Path, old: bytes, new: bytes) -> None:
    write(file, one=[["a", "b", "y"], [1, 2, 0], [3, 4, 1]])
    damage(file, SHEET, lambda xml: xml.replace(old, new, 1))
    with pytest.raises(SheetnetError) as caught:
        load(file)
    assert file.name in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"</worksheet>", b'<extLst><ext uri="{CCE6A557-97BC-4B89-ADB6-D9C93CAAB3DF}"/></extLst>'
      b"</worksheet>"), (b"<v>4</v>", b"<v>4</v><!-- note -->")],
    ids=["validation extension", "comment"],
)  # fmt: skip
def test_what_excel_leaves_in_files_is_no_trouble(file: Path, old: bytes, new: bytes) -> None:
    # A warning of the library would be an error here, and a second line on a user's stderr.
    write(file, one=[["a", "b", "y"], [1, 2, 0], [3, 4, 1]])
    damage(file, SHEET, lambda xml: xml.replace(old, new, 1))
    assert load(file).inputs.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_a_workbook_without_sheets(file: Path) -> None:
    write(file, one=ROWS)
    damage(file, "xl/workbook.xml", lambda xml: re.sub(rb"<sheets>.*</sheets>", b"<sheets/>", xml))
    complaint(file)


def test_a_chart_sheet_holds_no_table(file: Path) -> None:
    book = openpyxl.Workbook()
    book.create_chartsheet("chart")
    book.save(file)
    with pytest.raises(SheetnetError):
        load(file, sheet="chart")


def test_damaged_bytes(file: Path) -> None:
    # Every place in the file once: broken sizes, checksums, compressed data.
    write(file, one=ROWS)
    content = file.read_bytes()
    refused = 0
    for place in range(0, len(content), 61):
        file.write_bytes(content[:place] + b"\xff\x00\xff\x00" + content[place + 4 :])
        try:
            load(file)
        except SheetnetError:
            refused += 1
    assert refused > 10


def test_a_zip_bomb_is_refused(file: Path) -> None:
    write(file, one=ROWS)
    damage(file, SHEET, lambda xml: xml + b" " * 50_000_000)
    complaint(file, "bomb")


def test_not_a_workbook(file: Path) -> None:
    for content in (b"", b"a,b,y\n1,2,3\n", b"PK\x03\x04", b"PK\x05\x06" + b"\0" * 18):
        file.write_bytes(content)
        complaint(file, "not an xlsx")
