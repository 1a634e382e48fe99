"""Every example opens in every application: no error value, no repair, no missing function.

LibreOffice, Gnumeric and IronCalc recalculate the examples; openxml-audit checks the files;
functions and features stay inside what Google Sheets imports.
"""

from __future__ import annotations

import re
import subprocess
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import openpyxl
import pytest
from conftest import EXAMPLES
from drawn import sample, spec_of
from openpyxl.chart import LineChart, Reference, ScatterChart, Series
from openpyxl.comments import Comment
from openpyxl.formatting.rule import ColorScaleRule, DataBarRule, FormulaRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.pagebreak import Break
from shown import errors, extent, formulas, sheets
from soffice import assert_libreoffice_agrees
from support import make_spec, shortened

import sheetnet
from sheetnet.epoch_formulas import best_formulas, epochs_formulas, validation_formulas
from sheetnet.errors import DataError
from sheetnet.formulas import data_formulas, ledger_formulas, statistic_formulas
from sheetnet.layout import layout_of
from sheetnet.problem import load_problem
from sheetnet.reader.grid import read_grid
from sheetnet.reader.package import open_package
from sheetnet.recalc.ironcalc_engine import calculated
from sheetnet.regions import address
from sheetnet.views.make import views_of

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
DIVERGE = {"exploding_relu"}
"""Examples that turn into errors on purpose, and do so even when cut short."""


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The examples' workbooks, of a few thousand cells each, and one that stops early."""
    folder = tmp_path_factory.mktemp("books")
    specs = {path.stem: shortened(path, 4_000) for path in EXAMPLES}
    specs["stops"] = make_spec(
        source="toy:moons", data={"rows": 10, "validation": 0.4}, epochs=6, patience=1,
        learning_rate=3.0, batch_size=4, clip_norm=1.0, optimizer="rmsprop",
    )  # fmt: skip
    specs["one of each"] = make_spec(
        source="toy:moons", data={"rows": 2, "validation": 0.5}, epochs=1, learning_rate=0.1
    )
    made = {
        name: sheetnet.export(spec, folder / f"{name}.xlsx").path for name, spec in specs.items()
    }
    assert set(DIVERGE) == {name for name, path in made.items() if any(errors(path).values())}
    return made


def last_row(cells: set[str]) -> set[str]:
    """Those in the lowest of their rows."""
    rows = {cell: int(re.sub("[A-Z]", "", cell)) for cell in cells}
    return {cell for cell, row in rows.items() if row == max(rows.values())}


@pytest.mark.libreoffice
def test_libreoffice_shows_errors_only_where_python_does(
    books: dict[str, Path], tmp_path: Path
) -> None:
    """The examples are seen at their full length by ``test_examples``."""
    assert_libreoffice_agrees([books["stops"], books["one of each"]], tmp_path / "libreoffice")


@pytest.mark.gnumeric
def test_gnumeric_shows_errors_only_where_python_does(
    books: dict[str, Path], tmp_path: Path
) -> None:
    for name, book in books.items():
        result = tmp_path / book.name
        command = ["ssconvert", "--recalc", str(book), str(result)]
        subprocess.run(command, check=True, capture_output=True)
        assert formulas(result) == formulas(book), name
        found, expected = errors(result), errors(book)
        assert found.keys() == expected.keys()
        for title, cells in found.items():
            # It counts on with infinity for a few rows before that becomes an error.
            assert cells <= expected[title], f"{name} {title}"
            assert not expected[title] or last_row(cells) == last_row(expected[title])
        if not any(expected.values()):
            assert_same_numbers(book, result)


def assert_same_numbers(book: Path, result: Path) -> None:
    """What was calculated is what was exported: a wrong number is worse than an error."""
    packages = open_package(book), open_package(result)
    for title, xml in sheets(book):
        kept, made = (read_grid(package, title, *extent(xml)) for package in packages)
        numbers = (kept.formulas != None) & np.isfinite(kept.numbers)  # noqa: E711 - elementwise
        bound = 1e-6 * np.maximum(1.0, np.abs(kept.numbers))
        apart = numbers & ~(np.abs(made.numbers - kept.numbers) <= bound)
        for r, c in np.argwhere(apart).tolist():
            found, wanted = made.at(r + 1, c + 1), kept.numbers[r, c]
            pytest.fail(f"{book.name} {title}!{address(r + 1, c + 1)}: {found}, not {wanted}")


def test_ironcalc_shows_errors_only_where_python_does(books: dict[str, Path]) -> None:
    for name, book in books.items():
        expected = errors(book)
        with calculated(open_package(book)) as values:
            for title, xml in sheets(book):
                odd = values(title, *extent(xml)).odd
                found = {address(*at) for at, cell in odd.items() if cell.kind == "error"}
                assert found == expected[title], f"{name} {title}"


# --- the file itself


def bare(path: Path) -> Path:
    """A file of openpyxl's alone with each kind of thing that our workbooks have."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in range(1, 9):
        sheet.cell(row, 1, row).font = Font(name="Calibri", bold=row % 2 == 0, italic=row > 4)
        sheet.cell(row, 2, f"=A{row}").fill = PatternFill("solid", fgColor="FFFBD6")
        sheet.cell(row, 3, "text").font = Font(size=9, color="0000FF", underline="single")
    sheet["A1"].border = Border(left=Side(style="thin", color="BFBFBF"))
    sheet["A2"].alignment = Alignment(wrap_text=True)
    sheet["A3"].comment = Comment("said", "somebody")
    sheet["A4"].hyperlink = Hyperlink(ref="A4", location="Sheet!A1", display="there")
    sheet["A5"].quotePrefix = True
    sheet.merge_cells("D1:F1")
    sheet.row_breaks.append(Break(id=4))
    rule = DataValidation(type="decimal", operator="greaterThanOrEqual", formula1="0")
    rule.add("A1:A8")
    sheet.add_data_validation(rule)
    scale = {"mid_type": "num", "mid_value": 0, "mid_color": "FFFFFF"}
    scale |= {"start_type": "formula", "start_value": "-MAX($A$1:$A$8)", "start_color": "0000FF"}
    scale |= {"end_type": "formula", "end_value": "MAX($A$1:$A$8)", "end_color": "FF0000"}
    sheet.conditional_formatting.add("A1:A8 C1:C8", ColorScaleRule(**scale))
    bars = DataBarRule(start_type="num", start_value=0, end_type="max", color="FFC000")
    sheet.conditional_formatting.add("B1:B8", bars)
    sheet.conditional_formatting.add("A1:B8", FormulaRule(["A1>3"], font=Font(color="757575")))
    values = Reference(sheet, min_col=1, min_row=1, max_row=8)
    for chart in (LineChart(), ScatterChart()):
        chart.series.append(Series(values, values if isinstance(chart, ScatterChart) else None))
        sheet.add_chart(chart, "H1")
    sheet.column_dimensions["B"].outlineLevel = 1
    sheet.freeze_panes, sheet.print_title_rows = "B2", "1:1"
    sheet.oddFooter.left.text = "&A"
    book.defined_names["name"] = DefinedName("name", attr_text="Sheet!$A$1")
    book.save(path)
    return path


def complaints(validator: Any, path: Path) -> set[tuple[str, str]]:
    """What is said of a file: the kind of part, and what is wrong, without numbers."""
    return {
        (re.sub(r"\d+", "N", error.part_uri), re.sub(r"\d+", "N", error.description))
        for error in validator.validate(path).errors
    }


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, set[tuple[str, str]]]:
    """The validator, and what it says of a file that openpyxl wrote by itself."""
    audit = pytest.importorskip("openxml_audit")
    validator = audit.OpenXmlValidator(max_errors=0)
    return validator, complaints(validator, bare(tmp_path_factory.mktemp("bare") / "bare.xlsx"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_audit_finds_nothing_that_it_does_not_find_in_openpyxl_files(
    path: Path, audited: tuple[Any, set[tuple[str, str]]], tmp_path: Path
) -> None:
    """The XML is that of the long workbooks; only rows are fewer."""
    validator, allowed = audited
    book = sheetnet.export(shortened(path, 400), tmp_path / f"{path.stem}.xlsx").path
    assert complaints(validator, book) <= allowed


def test_audit_finds_an_element_where_the_format_allows_none(
    audited: tuple[Any, set[tuple[str, str]]], tmp_path: Path
) -> None:
    """The control."""
    validator, allowed = audited
    book = sheetnet.export(make_spec(epochs=1), tmp_path / "book.xlsx").path
    with zipfile.ZipFile(book) as source, zipfile.ZipFile(tmp_path / "bad.xlsx", "w") as target:
        for part in source.namelist():
            target.writestr(part, source.read(part).replace(b"<sheetData>", b"<rule /><sheetData>"))
    assert complaints(validator, tmp_path / "bad.xlsx") - allowed


# --- Google Sheets

FUNCTIONS = frozenset(
    "ABS ADDRESS AND AVERAGE CHOOSE COLUMN COLUMNS COUNT COUNTIFS EXACT EXP IF INDEX INT "  # noqa: SIM905
    "ISNUMBER ISTEXT LEFT LN MATCH MAX MIN MOD ROW ROWS SIGN SQRT SUM SUMPRODUCT SUMSQ SUMXMY2 "
    "TANH".split()
)
"""All are in Excel 2007 and later (support.microsoft.com, "Excel functions (alphabetical)"), in
Google Sheets (support.google.com/docs/table/25273), LibreOffice (help.libreoffice.org,
"Functions by Category"), Gnumeric (help.gnome.org, "Gnumeric function reference") and IronCalc
(docs.ironcalc.com, "Functions"). None is volatile, none returns an array."""

IN_RULES = {"ROW", "COLUMN", "LEFT", "ISTEXT"}
"""Of these, what only conditional formats call."""

SHEET_PARTS = frozenset(
    "sheetPr dimension sheetViews sheetFormatPr cols sheetData mergeCells conditionalFormatting "  # noqa: SIM905
    "dataValidations hyperlinks pageMargins pageSetup headerFooter rowBreaks drawing "
    "legacyDrawing".split()
)
"""What a sheet is made of; Google Sheets imports cells, notes, merged cells, groups, frozen
panes, validation, links, colour scales, rules with formulas and charts, and needs nothing of how
pages are printed. It leaves out the bars of the loss, and number formats that come from rules:
the numbers themselves stay."""

INPUT = r"(Config!\$B|(Step|Predict|Compare)!\$[A-Z]+)\$\d+"
"""A cell that a name may mean."""

RULES = frozenset({"colorScale", "dataBar", "expression"})
CHARTS = frozenset({"lineChart", "scatterChart"})

PARTS = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|docProps/(app|core)\.xml|xl/workbook\.xml"
    r"|xl/_rels/workbook\.xml\.rels|xl/(styles|sharedStrings)\.xml|xl/theme/theme1\.xml"
    r"|xl/worksheets/(_rels/)?sheet\d+\.xml(\.rels)?|xl/charts/chart\d+\.xml"
    r"|xl/drawings/(_rels/)?(commentsDrawing|drawing)\d+\.(xml|vml)(\.rels)?"
    r"|xl/drawings/comments/\w+\.\w+|xl/comments/comment\d+\.xml"
)
"""No macros, links to other files, tables of connections, array metadata."""


def called(text: str) -> set[str]:
    """The functions that a formula calls."""
    return set(re.findall(r"([A-Za-z_][\w.]*)\(", re.sub('"[^"]*"', "", text)))


def written(path: Path) -> Iterator[str]:
    """All formulas of a workbook: of cells, validation and conditional formats."""
    for _, xml in sheets(path):
        text = xml.decode()
        yield from map(unescape, re.findall(r"<(?:f|formula[12]?)(?: [^>]*)?>([^<]+)<", text))
        yield from map(unescape, re.findall(r'<cfvo type="formula" val="([^"]*)"', text))


def test_examples_call_only_functions_that_all_applications_have(books: dict[str, Path]) -> None:
    found = set().union(*(called(text) for path in books.values() for text in written(path)))
    assert found <= FUNCTIONS
    assert len(found) > 12


def test_drawn_specs_call_only_functions_that_all_applications_have(tmp_path: Path) -> None:
    found: set[str] = set()
    for document, table in sample(60, key="functions"):
        spec = spec_of(document, table, tmp_path)
        try:
            problem = load_problem(spec)
        except DataError:  # some tables cannot be scaled
            continue
        layout = layout_of(problem)
        columns = [*ledger_formulas(problem, layout), *epochs_formulas(layout)]
        columns += data_formulas(layout.data, problem)
        if layout.validation is not None:
            columns += [*validation_formulas(layout), *best_formulas(layout)]
        for column in columns:
            if column is not None:
                found |= called(column.first) | called(column.rest)
        for _, texts in statistic_formulas(layout.data, problem):
            found |= set().union(*map(called, texts))
        for view in views_of(problem, layout):
            for each in view.tables:
                texts = [text for f in each.formulas if f for text in (f.first, f.rest)]
                found |= set().union(*map(called, texts))
            found |= set().union(*(called(cell.text) for cell in view.cells))
    assert found <= FUNCTIONS, found - FUNCTIONS
    assert FUNCTIONS - found <= IN_RULES, FUNCTIONS - found


def test_nothing_that_an_application_would_drop(books: dict[str, Path]) -> None:
    for name, path in books.items():
        with zipfile.ZipFile(path) as package:
            for part in package.namelist():
                assert PARTS.fullmatch(part), f"{name}: {part}"
                if part.startswith("xl/charts/"):
                    kinds = set(
                        re.findall(r"<(?:\w+:)?(\w+Chart)[ >]", package.read(part).decode())
                    )
                    assert kinds <= CHARTS, f"{name}: {part}"
        for title, xml in sheets(path):
            root = ElementTree.fromstring(xml)
            assert {child.tag.removeprefix(MAIN) for child in root} <= SHEET_PARTS, title
            assert not root.findall(f".//{MAIN}f[@t='array']") and b" cm=" not in xml
            assert {rule.attrib["type"] for rule in root.iter(f"{MAIN}cfRule")} <= RULES


def test_names_hold_cells_only(books: dict[str, Path]) -> None:
    """A name that holds a formula would be lost in IronCalc."""
    area = r"'?\w+'?!\$?[A-Z]*\$?\d*(:\$?[A-Z]*\$?\d*)?"
    for path in books.values():
        with zipfile.ZipFile(path) as package:
            text = package.read("xl/workbook.xml").decode()
        names = dict(re.findall(r'<definedName name="([\w.]+)"[^>]*>([^<]*)<', text))
        assert names.pop("learning_rate").startswith("Config!$B$")
        assert len(re.findall("<definedName ", text)) > len(names)
        for name, held in names.items():
            parts = held.split(",")
            assert all(re.fullmatch(area, unescape(part)) for part in parts), f"{name}: {held}"
            assert name.startswith("_xlnm.") or re.fullmatch(INPUT, held), held
