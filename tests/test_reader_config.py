"""Workbooks whose sheets or settings make no sense: one line that says which, status 2."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from faults import assert_one_line, assert_refused, change, export_kinds, rewrite
from openpyxl.workbook import Workbook

from sheetnet import verify
from sheetnet.errors import WorkbookError


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_kinds(tmp_path_factory.mktemp("kinds"))["line"]


@pytest.mark.parametrize("title", ["Config", "Data", "Init", "Train"])
def test_a_missing_sheet(
    line: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], title: str
) -> None:
    def renamed(xml: str) -> str:
        return xml.replace(f'name="{title}"', f'name="{title} (2)"')

    path = rewrite(line, tmp_path / "bad.xlsx", {"xl/workbook.xml": renamed})
    assert_refused(path, capfd, "was not written by sheetnet", title)


def test_a_sheet_without_its_part(
    line: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def lost(xml: str) -> str:
        return xml.replace("sheet5.xml", "sheet9.xml")

    path = rewrite(line, tmp_path / "bad.xlsx", {"xl/_rels/workbook.xml.rels": lost})
    assert_refused(path, capfd, "Train")


def test_two_sheets_of_one_name(
    line: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The reader would take the formulas of one, the engine the pasted values of the other."""
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    second = f'<sheet xmlns:r="{relations}" name="Train" sheetId="9" r:id="rId3"/></sheets>'
    parts = {"xl/workbook.xml": lambda xml: xml.replace("</sheets>", second)}
    assert_refused(rewrite(line, tmp_path / "bad.xlsx", parts), capfd, "Train")


def test_an_engine_that_panics(
    line: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """IronCalc looks a sheet's part up without asking whether it is there."""

    def lost(xml: str) -> str:
        return re.sub('r:id="rId4"', 'r:id="rId77"', xml)

    assert_one_line(rewrite(line, tmp_path / "bad.xlsx", {"xl/workbook.xml": lost}), capfd)


KEYS = "name source rows inputs targets coding scale target_scale loss optimizer epochs batch_size"
KEYS += " shuffle seed initializer learning_rate layer"


def config(fault: Callable[[dict[str, int], Workbook], None]) -> Callable[[Workbook], None]:
    """A fault that finds the rows of Config by their keys."""

    def whole(book: Workbook) -> None:
        rows = {str(cell.value): cell.row for cell in book["Config"]["A"][4:] if cell.value}
        fault(rows, book)

    return whole


@pytest.mark.parametrize("key", KEYS.split())
def test_a_missing_row_of_config(
    line: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], key: str
) -> None:
    @config
    def fault(rows: dict[str, int], book: Workbook) -> None:
        book["Config"].cell(rows[key], 1).value = None

    assert_refused(change(line, tmp_path / "bad.xlsx", fault), capfd, key)


WHOLE = ("rows", "inputs", "targets", "epochs", "batch_size", "seed")
CHOSEN = ("loss", "optimizer", "scale", "target_scale", "initializer", "coding")
CONTENT = [
    *((key, "three") for key in (*WHOLE, "learning_rate")),
    *((key, None) for key in ("rows", "epochs", "seed", "shuffle", "loss", "learning_rate")),
    *((key, 0) for key in WHOLE[:-1]),
    *((key, 2.5) for key in WHOLE),
    *((key, 10**9) for key in WHOLE[:4]),
    *((key, "=1/0") for key in ("rows", "epochs", "learning_rate", "loss")),
    *((key, "nonsense") for key in CHOSEN),
    ("learning_rate", -0.1),
    ("learning_rate", True),
    ("seed", -1),
    ("shuffle", "often"),
]


@pytest.mark.parametrize(("key", "content"), CONTENT)
def test_nonsense_on_config(
    line: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], key: str, content: object
) -> None:
    @config
    def fault(rows: dict[str, int], book: Workbook) -> None:
        book["Config"].cell(rows[key], 2).value = content

    path = change(line, tmp_path / "bad.xlsx", fault)
    capfd.readouterr()
    with pytest.raises(WorkbookError) as caught:
        verify(path)
    assert "\n" not in str(caught.value)
    assert_one_line(path, capfd)


@pytest.mark.parametrize(
    ("column", "content"),
    [(2, "two"), (2, 0), (2, 2.5), (2, 10**9), (2, None), (3, "wavy"), (3, 5), (5, "yes")],
)
def test_nonsense_in_the_table_of_layers(
    line: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], column: int, content: object
) -> None:
    @config
    def fault(rows: dict[str, int], book: Workbook) -> None:
        book["Config"].cell(rows["layer"] + 1, column).value = content

    assert_refused(change(line, tmp_path / "bad.xlsx", fault), capfd)


@pytest.mark.parametrize("cell", ["Init!B6", "Init!C6", "Data!B6", "Data!C9", "Data!B5"])
@pytest.mark.parametrize("content", [None, "#N/A", True])
def test_nonsense_in_an_input_cell(
    line: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], cell: str, content: object
) -> None:
    title, _, where = cell.partition("!")

    def fault(book: Workbook) -> None:
        book[title][where].value = content

    assert_refused(change(line, tmp_path / "bad.xlsx", fault), capfd, cell)


def test_a_layer_wider_than_a_sheet(tmp_path: Path) -> None:
    """Room must not be made for it first: 100 million units would take 20 GB."""

    @config
    def fault(rows: dict[str, int], book: Workbook) -> None:
        book["Config"].cell(rows["layer"] + 2, 2).value = 20_000

    path = change(export_kinds(tmp_path)["softmax"], tmp_path / "bad.xlsx", fault)
    with pytest.raises(WorkbookError, match="too many for a sheet"):
        verify(path)
