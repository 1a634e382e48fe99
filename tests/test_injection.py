"""Texts of the user stay texts in the workbook, whatever they look like."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import ironcalc
import openpyxl
import pytest
from openpyxl.utils.escape import unescape
from support import make_spec

import sheetnet
from sheetnet.errors import DataError
from sheetnet.reader.package import open_package
from sheetnet.reader.workbook import Book, read_book
from sheetnet.recalc import recalculate

NASTY = [
    "=1+1", "=cmd|' /C calc'!A0", '=HYPERLINK("http://example.org","x")', "=A1", "=", "==x",
    "+SUM(A1)", "-x", "@SUM(A1)", "{=1}", "'=1", "' x", '"quoted"', "a,b;c", "<b>&amp;</b>",
    "]]>", "<!--", "&#61;1+1", "%s %d %%", "{r}", "{p}", "{0}", "\\n", "_x0041_", "_x005F_x",
    "_x003D_1+1", "_x000D_", "\u200b=1", "\uff1d1+1", "a;=1",
    "\U0001f600", "a\u0301", "\u00e1", "\u202eabc", "a\u2028b", "two\nlines", "a\tb", "a  b",
    "W1[1,1]", "learning_rate", "visit", "Data!A1", "$A$1", "R1C1", "TRUE", "#N/A", "#NUM!",
    "1,5", "1e", "0x10", "2024-05-01", "x" * 32_767, "\uffee" * 300,
]  # fmt: skip
"""No control characters (they are refused) and no spaces at the ends (they are cut off)."""

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
STARTS = ("=", "+", "-", "@")


def columns_book(folder: Path, names: list[str]) -> Path:
    """A perceptron whose columns have these names; the last one is the target."""
    with (folder / "columns.csv").open("w", encoding="utf-8", newline="") as file:
        rows = [[(i * k) % 7 for i in range(len(names) - 1)] + [k % 2] for k in range(4)]
        csv.writer(file).writerows([names, *rows])
    layers = [{"activation": "sigmoid"}]
    data = {"target": names[-1], "scale": "standard"}
    spec = make_spec(source="columns.csv", data=data, layers=layers, folder=folder, epochs=1)
    sheetnet.export(spec, folder / "columns.xlsx")
    return folder / "columns.xlsx"


def labels_book(folder: Path, labels: list[str], **names: str) -> Path:
    """As many classes as labels, one row of each."""
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["a", "y"], *([i, y] for i, y in enumerate(labels))])
    layers = [{"activation": "softmax"}]
    data = {"target": "y"}
    spec = make_spec(source="labels.csv", data=data, layers=layers, folder=folder, epochs=1)
    sheetnet.export(spec, folder / "labels.xlsx")
    return folder / "labels.xlsx"


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Books with nasty texts, and their twins with plain ones in the same places."""
    nasty, plain = tmp_path_factory.mktemp("nasty"), tmp_path_factory.mktemp("plain")
    twins = [f"text{i}" for i in range(len(NASTY))]
    return {
        "columns": columns_book(nasty, NASTY),
        "plain columns": columns_book(plain, twins),
        "labels": labels_book(nasty, NASTY),
        "plain labels": labels_book(plain, twins),
    }


def cells(path: Path) -> dict[tuple[str, str], tuple[str, str | None, str]]:
    """(part, address) -> (type, formula, text), from the XML itself."""
    found = {}
    with zipfile.ZipFile(path) as package:
        for part in package.namelist():
            if not part.startswith("xl/worksheets/sheet"):
                continue
            for cell in ElementTree.fromstring(package.read(part)).iter(f"{MAIN}c"):
                formula = cell.find(f"{MAIN}f")
                text = unescape("".join(t.text or "" for t in cell.iter(f"{MAIN}t")))
                found[(part, cell.attrib["r"])] = (
                    cell.attrib.get("t", "n"),
                    None if formula is None else (formula.text or "shared"),
                    text,
                )
    return found


@pytest.mark.parametrize("kind", ["columns", "labels"])
def test_formulas_are_those_of_a_twin_with_plain_texts(books: dict[str, Path], kind: str) -> None:
    nasty, plain = cells(books[kind]), cells(books[f"plain {kind}"])
    assert set(nasty) == set(plain)
    for place, (_, formula, _) in plain.items():
        assert nasty[place][1] == formula, place
    # Texts are texts in both; only words that were changed differ.
    assert {p for p, c in nasty.items() if c[0] == "inlineStr"} == {
        p for p, c in plain.items() if c[0] == "inlineStr"
    }


@pytest.mark.parametrize("kind", ["columns", "labels"])
def test_every_text_stands_in_a_text_cell(books: dict[str, Path], kind: str) -> None:
    texts = [text for type_, formula, text in cells(books[kind]).values() if type_ == "inlineStr"]
    for name in NASTY:
        assert name in texts


@pytest.mark.parametrize("kind", ["columns", "labels"])
def test_no_sheet_s_xml_holds_more_than_it_should(books: dict[str, Path], kind: str) -> None:
    # No name has become an element, an attribute, a link or a defined name.
    def parts(path: Path) -> dict[str, set[str]]:
        with zipfile.ZipFile(path) as package:
            return {
                name: {element.tag for element in ElementTree.fromstring(package.read(name)).iter()}
                for name in package.namelist()
            }

    assert parts(books[kind]) == parts(books[f"plain {kind}"])


@pytest.mark.parametrize("kind", ["columns", "labels"])
def test_the_workbook_verifies(books: dict[str, Path], kind: str) -> None:
    report = sheetnet.verify(books[kind])
    assert report.agree, report.to_text()
    assert report.checks["trajectory"].identical == report.checks["trajectory"].cells


@pytest.mark.libreoffice
@pytest.mark.parametrize("kind", ["columns", "labels"])
def test_libreoffice_reads_the_same_texts(books: dict[str, Path], kind: str) -> None:
    # EXACT(label, class) is a formula there too: two classes must not become one.
    assert sheetnet.verify(books[kind], "libreoffice").agree


def read(path: Path) -> Book:
    package = open_package(path)
    with recalculate(package, "ironcalc") as values:
        return read_book(package, values)


def test_names_and_labels_read_back_equal(books: dict[str, Path]) -> None:
    table = read(books["columns"]).problem.table
    assert (*table.input_names, *table.target_names) == tuple(NASTY)
    problem = read(books["labels"]).problem
    assert problem.table.labels == tuple(NASTY)
    assert problem.classes == tuple(sorted(NASTY))


def places(path: Path) -> list[tuple[str, int, int, str]]:
    """Where openpyxl finds the nasty texts: (sheet, row, column, text).

    It reads ``_x0041_`` as it stands, where Excel makes A of it.
    """
    book = openpyxl.load_workbook(path)
    return [
        (sheet.title, cell.row, cell.column, unescape(cell.value))
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "s" and unescape(cell.value) in NASTY
    ]


@pytest.mark.parametrize("kind", ["columns", "labels"])
def test_openpyxl_and_ironcalc_read_texts(books: dict[str, Path], kind: str) -> None:
    found = places(books[kind])
    assert {text for *_, text in found} == set(NASTY)
    model = ironcalc.load_from_xlsx(str(books[kind]), "en", "UTC")
    model.evaluate()
    titles = [sheet["name"] for sheet in model.get_worksheets_properties()]
    for title, row, column, text in found:
        sheet = titles.index(title)
        assert unescape(model.get_cell_value(sheet, row, column)) == text
        assert model.get_cell_type(sheet, row, column) == ironcalc.CellType.Text


@pytest.mark.parametrize("kind", ["columns", "labels"])
def test_texts_stay_texts_when_a_person_edits_the_cell(books: dict[str, Path], kind: str) -> None:
    # Excel takes "=1+1" for a formula as soon as somebody presses F2 and Enter, unless
    # the cell's style says that it is quoted.
    book = openpyxl.load_workbook(books[kind])
    risky = [place for place in places(books[kind]) if place[3].startswith(STARTS)]
    assert risky
    for title, row, column, text in risky:
        assert book[title].cell(row, column).quotePrefix, (title, row, column, text)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_line_ends_within_texts(tmp_path: Path, end: str) -> None:
    # XML knows one line end only: whatever becomes of the others, the classes are two.
    path = labels_book(tmp_path, [f"a{end}b", "a b", "c"])
    assert sheetnet.verify(path).agree
    assert len(read(path).problem.classes or ()) == 3


def test_labels_that_differ_in_their_line_ends_only(tmp_path: Path) -> None:
    try:
        path = labels_book(tmp_path, ["a\rb", "a\nb", "c"])
    except DataError:
        return  # refused is fine, too
    assert sheetnet.verify(path).agree


@pytest.mark.parametrize("place", ["name", "source"])
@pytest.mark.parametrize("text", ["=1+1", "@x", "a&<b>\"'", "_x0041_", "\U0001f600", "a\nb"])
def test_names_of_files(tmp_path: Path, place: str, text: str) -> None:
    source = f"{text}.csv" if place == "source" else "d.csv"
    (tmp_path / source).write_text("a,y\n1,0\n2,1\n3,1\n")
    extra: dict[str, Any] = {"name": text} if place == "name" else {}
    spec = make_spec(source=source, data={"target": "y"}, folder=tmp_path, **extra)
    sheetnet.export(spec, tmp_path / "b.xlsx")
    assert sheetnet.verify(tmp_path / "b.xlsx").agree
    found = read(tmp_path / "b.xlsx").problem.spec
    assert (found.data.source, found.name) == (source, spec.name)


@pytest.mark.parametrize("code", [*range(32), 0x7F, 0xFFFE, 0xFFFF])
def test_control_characters_are_refused_or_kept(tmp_path: Path, code: int) -> None:
    # Tab and line ends are texts like others; what XML cannot hold is an error.
    text = f"a{chr(code)}b"
    for make in (lambda: labels_book(tmp_path, [text, "c", "d"]),
                 lambda: columns_book(tmp_path, [text, "c", "d"])):  # fmt: skip
        if code in (0x09, 0x0A, 0x0D, 0x7F):
            assert sheetnet.verify(make()).agree
        else:
            with pytest.raises(DataError, match="control character"):
                make()
