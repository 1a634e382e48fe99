"""One fault put into an exported workbook, through openpyxl or straight in its XML.

openpyxl drops saved values and writes every shared formula out, as an editing program
does; a rewritten part keeps all else in the file as it was.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import openpyxl
import pytest
from openpyxl.cell.cell import Cell
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from support import make_spec, run

import sheetnet
from sheetnet.errors import WorkbookError
from sheetnet.layout import TRAIN_FIRST_ROW, TRAIN_NAME_ROW
from sheetnet.reader.grid import read_grid
from sheetnet.reader.package import open_package
from sheetnet.reader.workbook import read_book
from sheetnet.regions import TRAIN
from sheetnet.verification import Report

TABLE = "p,q,u,v\n0.1,-1.5,2,0.3\n0.7,0.25,-1,0.9\n-0.4,1.25,0.5,0.1\n1.1,-0.6,1.5,0.2\n"
"""Two numeric targets of different size."""


def export_kinds(
    folder: Path, sheets: Sequence[str] | None = ("Guide", "Epochs")
) -> dict[str, Path]:
    """A small workbook of each kind: what they hold differs as much as it can."""
    (folder / "table.csv").write_text(TABLE, encoding="utf-8")
    specs = {
        # Plain data, one weight: the shortest ledger there is.
        "line": make_spec(
            source="toy:line", data={"rows": 4}, layers=[{"activation": "linear"}], epochs=2
        ),
        "xor": make_spec(epochs=2),
        # Scaled inputs, text classes, coupled outputs, an order that is not the rows' own.
        "softmax": make_spec(
            source="toy:blobs",
            data={"rows": 6, "scale": "standard"},
            layers=[{"units": 2, "activation": "tanh"}, {"activation": "softmax"}],
            epochs=2,
            shuffle=True,
        ),
        # Constants inside formulas: the leak 0.01, the 2 of the slope, /2 for two outputs.
        "outputs": make_spec(
            source="table.csv",
            data={
                "inputs": ["p", "q"],
                "target": ["u", "v"],
                "scale": "minmax",
                "target_scale": "standard",
            },
            layers=[{"units": 2, "activation": "leaky_relu"}, {"activation": "linear"}],
            folder=folder,
            epochs=2,
            learning_rate=0.05,
        ),
    }
    paths = {kind: folder / f"{kind}.xlsx" for kind in specs}
    for kind, spec in specs.items():
        sheetnet.export(spec, paths[kind], sheets=sheets)
    return paths


DATA_CELLS = [
    ("softmax", "B5", "mean of x1"),
    ("softmax", "C6", "deviation of x2"),
    ("softmax", "E9", "x[1]"),
    ("softmax", "F14", "x[2]"),
    ("softmax", "G9", "y[1]"),
    ("softmax", "I14", "y[3]"),
    ("outputs", "C5", "minimum of q"),
    ("outputs", "B6", "spread of p"),
    ("outputs", "D5", "mean of u"),
    ("outputs", "E6", "deviation of v"),
    ("outputs", "G9", "x[2]"),
    ("outputs", "I11", "y[2]"),
]
"""Of these kinds: statistics, scaled values, coded classes; first and last rows."""


# --- by openpyxl


def change(source: Path, target: Path, fault: Callable[[Workbook], object]) -> Path:
    """Load, let ``fault`` change the book, save."""
    book = openpyxl.load_workbook(source)
    fault(book)
    book.save(target)
    return target


def columns(book: Workbook) -> dict[str, int]:
    """Plain name -> column of Train."""
    return {str(cell.value): cell.column for cell in book[TRAIN][TRAIN_NAME_ROW]}


def visits(book: Workbook) -> int:
    """How many visits Train holds."""
    return int(book[TRAIN].max_row - TRAIN_NAME_ROW)


def ledger_cell(book: Workbook, quantity: str, visit: int) -> Cell:
    """The cell of a quantity; visits from 1, or from the end: -1 is the last."""
    visit = visit if visit > 0 else visits(book) + 1 + visit
    cell = book[TRAIN].cell(TRAIN_NAME_ROW + visit, columns(book)[quantity])
    assert isinstance(cell, Cell)
    return cell


def replace(cell: Cell, old: str, new: str) -> None:
    """Replace one piece of a formula; it must be there."""
    text = str(cell.value)
    assert old in text, f"{cell.coordinate} holds {text}, not {old}"
    cell.value = text.replace(old, new, 1)


def copy_row(sheet: Worksheet, source: int, target: int) -> None:
    """Copy contents literally, as pasting text would."""
    for cell in list(sheet[source]):
        sheet.cell(target, cell.column).value = cell.value


# --- in the XML


def rewrite(source: Path, target: Path, parts: Mapping[str, Callable[[str], str | bytes]]) -> Path:
    """Copy a package and pass some of its parts, as text, through functions."""
    left = dict(parts)
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name in left:
                made = left.pop(name)(content.decode())
                changed = made.encode() if isinstance(made, str) else made
                assert changed != content, f"nothing changed in {name}"
                content = changed
            new.writestr(name, content)
    assert not left, f"there is no part {', '.join(left)}"
    return target


def rewrite_sheet(source: Path, target: Path, title: str, fault: Callable[[str], str]) -> Path:
    """Rewrite the part of one sheet."""
    return rewrite(source, target, {open_package(source).sheets[title]: fault})


def in_cell(where: str, old: str, new: str) -> Callable[[str], str]:
    """Replace a pattern (regular expression) inside the one ``<c>`` element of a cell."""

    def fault(xml: str) -> str:
        found = re.search(rf'<c r="{where}"[^>]*?(/>|>.*?</c>)', xml)
        assert found is not None, f"there is no cell {where}"
        cell, count = re.subn(old, new, found.group(), count=1, flags=re.DOTALL)
        assert count, f"{where} is {found.group()}, without {old}"
        return xml[: found.start()] + cell + xml[found.end() :]

    return fault


def without_row(row: int) -> Callable[[str], str]:
    """Take a ``<row>`` element out."""
    return lambda xml: re.sub(rf'<row r="{row}"[ >].*?</row>', "", xml, flags=re.DOTALL)


def saved_value(where: str, change: Callable[[float], float]) -> Callable[[str], str]:
    """Change the number saved in a cell and leave its formula alone."""

    def fault(xml: str) -> str:
        found = re.search(rf'<c r="{where}"[^>]*>.*?<v>([^<]*)</v>', xml, flags=re.DOTALL)
        assert found is not None, f"{where} holds no number"
        return in_cell(where, "<v>[^<]*</v>", f"<v>{change(float(found.group(1)))!r}</v>")(xml)

    return fault


# --- what a report must say


def assert_first(
    report: Report, check: str, sheet: str, cell: str, quantity: str, visit: int | None
) -> None:
    """The check failed and its first failure is this cell."""
    found = report.checks[check]
    assert not report.agree and not found.ok, f"{check} is fine, but {sheet}!{cell} is not"
    assert found.failures >= 1
    first = found.first_failure
    assert first is not None
    named = (first.sheet, first.cell, first.quantity, first.visit)
    assert named == (sheet, cell, quantity, visit), f"{named}, not {sheet}!{cell} ({quantity})"


def failing(report: Report) -> set[str]:
    """The checks that are not fine."""
    return {name for name, check in report.checks.items() if not check.ok}


def visit_of(cell: Cell) -> int:
    """The visit that a row of Train is."""
    return int(cell.row - TRAIN_FIRST_ROW + 1)


# --- what must be refused


def _no_engine(*_: object) -> NoReturn:
    raise AssertionError("these inputs hold no formulas")


def read_all(path: Path) -> None:
    """What sheetnet itself reads of a workbook, without any engine."""
    package = open_package(path)
    train = read_book(package, _no_engine).layout.train
    read_grid(package, TRAIN, train.last_row, train.last_column)


def assert_refused(path: Path, capfd: pytest.CaptureFixture[str], *words: str) -> None:
    """By our reader and by the command, which may meet the engine's refusal first."""
    with pytest.raises(WorkbookError) as caught:
        read_all(path)
    message = str(caught.value)
    assert "\n" not in message, message
    for word in words:
        assert word in message, f"{message} does not name {word}"
    assert_one_line(path, capfd)


def assert_one_line(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    capfd.readouterr()
    result = run("verify", path)
    said = f"status {result.exit_code}, {result.exception!r}: {result.output}"
    assert result.exit_code == 2 and isinstance(result.exception, SystemExit), said
    assert result.stdout == "", said
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1, said
    # Engines written in Rust print past Python's own streams.
    printed = capfd.readouterr()
    assert printed == ("", ""), f"the engine printed {printed}"
