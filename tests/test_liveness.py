"""``verify --perturb``: with other inputs all cells follow, and one that does not is named."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from faults import change, failing, in_cell, rewrite_sheet
from openpyxl.workbook import Workbook
from packages import Package
from stopping import stopping
from support import make_spec, run

import sheetnet
from sheetnet import SheetnetError, verify
from sheetnet.reader.edits import edited_copy
from sheetnet.reader.package import open_package
from sheetnet.spec import Spec
from sheetnet.verification import Liveness, Report

HIDDEN, SIGMOID = {"units": 2, "activation": "tanh"}, {"activation": "sigmoid"}


def specs(folder: Path) -> dict[str, tuple[Spec, list[str] | None]]:
    """Runs that together have every number of Config, and the sheets of each."""

    def both(**options: Any) -> Spec:
        return make_spec(layers=[HIDDEN, SIGMOID], epochs=2, **options)

    return {
        "line": (make_spec(source="toy:line", data={"rows": 4}, layers=[{}], epochs=2), None),
        "momentum": (both(optimizer="momentum", batch_size=2, clip=0.1), ["Step", "Epochs"]),
        "nesterov": (both(optimizer="nesterov", clip_norm=5.0), []),
        "adagrad": (both(optimizer="adagrad"), []),
        "rmsprop": (both(optimizer="rmsprop"), []),
        "adam": (
            make_spec(
                layers=[{**HIDDEN, "dropout": 0.4}, SIGMOID], epochs=2, batch_size=2,
                optimizer="adam",
            ),
            [],
        ),
        "threshold": (stopping("threshold", folder, epochs=6, min_delta=0.001), ["Epochs"]),
        "numbers": (stopping("numbers", folder, epochs=4), ["Epochs"]),
        "softmax": (
            make_spec(
                source="toy:blobs", data={"rows": 6, "scale": "standard"},
                layers=[HIDDEN, {"activation": "softmax"}], epochs=2, shuffle=True,
            ),
            ["Compare"],
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("books")
    paths = {}
    for name, (spec, sheets) in specs(folder).items():
        paths[name] = folder / f"{name}.xlsx"
        sheetnet.export(spec, paths[name], sheets=sheets)
    return paths


def liveness(report: Report) -> Liveness:
    found = report.checks["liveness"]
    assert isinstance(found, Liveness)
    return found


NAMES = [
    *(f"{kind} learning_rate" for kind in ("line", "adam", "numbers", "softmax")),
    "momentum momentum", "momentum clip", "nesterov momentum", "nesterov clip_norm",
    "adagrad epsilon", "rmsprop rho", "rmsprop epsilon", "adam beta1", "adam beta2",
    "adam epsilon", "adam dropout_1", "threshold patience", "threshold min_delta",
    "numbers patience", "momentum step", "line step", "line at_update",
    "line weight_input", "momentum weight_layer", "line nudge",
]  # fmt: skip
"""Each number that people may change, and the book where it is hard-coded."""


@pytest.mark.parametrize("kind", list(specs(Path("/tmp"))))
def test_all_cells_follow(books: dict[str, Path], kind: str) -> None:
    before = books[kind].read_bytes()
    report = verify(books[kind], perturb=True)
    assert report.agree, report.to_text()
    found = liveness(report)
    assert found.identical == found.cells == report.cells
    assert found.unchanged == ()
    assert books[kind].read_bytes() == before
    # Every number on Config, every weight and bias, every value of the data.
    book = openpyxl.load_workbook(books[kind])
    names = {c.name for c in found.changed}
    assert {n for n in book.defined_names if n != "tolerance"} <= names | {
        n for n in ("weight_layer", "weight_unit") if kind == "line"
    }
    changed = {c.cell for c in found.changed}
    for title in ("Init", "Data"):
        for row in book[title].iter_rows():
            for cell in row:
                is_input = cell.fill.start_color.rgb in ("00FFF9E5", "FFFFF9E5")
                assert not is_input or f"{title}!{cell.coordinate}" in changed, cell


@pytest.mark.parametrize("case", NAMES)
def test_a_number_that_formulas_ignore(books: dict[str, Path], tmp_path: Path, case: str) -> None:
    """Its value, right as it is, stands in the formulas instead of its name."""
    kind, name = case.split()
    package = Package.read(books[kind])
    title, _, address = package.names[name].replace("$", "").partition("!")
    value = package.sheets[title].cells[address].value
    word = re.compile(rf"\b{name}\b(?![\w!(\[])")

    def typed(formula: re.Match[str]) -> str:
        pieces = re.split('("[^"]*")', formula[2])  # texts may hold the word too
        pieces[::2] = [word.sub(str(value), piece) for piece in pieces[::2]]
        return formula[1] + "".join(pieces)

    parts = {}
    for sheet in package.sheets.values():
        xml = re.sub(r"(<f[^>]*>)([^<]*)", typed, sheet.xml)
        if xml != sheet.xml:
            parts[sheet.part] = xml
    assert parts
    report = verify(package.write(tmp_path / "dead.xlsx", parts), perturb=True)
    assert failing(report) == {"formulas", "liveness"}
    first = report.checks["liveness"].first_failure
    assert first is not None and first.changed is not None
    assert (first.changed.name, first.changed.cell) == (name, f"{title}!{address}")
    assert first.changed.before == float(str(value)) != first.changed.after
    held = package.sheets[first.sheet].cells[first.cell].formula
    assert held is not None and re.search(rf"\b{name}\b", held)


def by_name(package: Package, sheet: str, name: str, row: int) -> str:
    """The address of a plain name's cell, so many rows below it."""
    cells = package.sheets[sheet].cells
    heads = [a for a, c in cells.items() if c.value == name and c.formula is None]
    head = max(heads, key=lambda a: cells[a].start)  # below the words, where both are the same
    letters = head.rstrip("0123456789")
    return f"{letters}{int(head[len(letters) :]) + row}"


PASTED = [
    # (book, sheet, plain name or address, rows below it, the inputs that it comes from, if few)
    ("line", "Train", "x[1]", 3, "x"),
    ("line", "Train", "y[1]", 8, "y"),
    ("line", "Train", "W1[1,1]", 1, "W1"),
    ("line", "Train", "W1[1,1]", 2, "x y W1 b1 learning_rate"),
    ("line", "Train", "delta1[1]", 2, "x y W1 b1 learning_rate"),
    ("line", "Train", "ub1[1]", 8, ""),
    ("momentum", "Train", "vW1[2,1]", 6, ""),
    ("momentum", "Epochs", "loss", 2, ""),
    ("momentum", "Step", "F12", 0, ""),
    ("numbers", "Data", "x[2]", 2, "b"),
    ("numbers", "Data", "y[2]", 3, "v"),
    ("numbers", "Train", "z1[9]", 4, ""),
    ("threshold", "Validation", "x[1]", 2, "x1"),
    ("threshold", "Validation", "a2[1]", 2, ""),
    ("threshold", "Epochs", "val_loss", 1, ""),
    ("threshold", "Epochs", "W1[2,1]", 3, ""),
    ("line", "Predict", "a1[1]", 4, ""),
    ("softmax", "Compare", "W1[2,1]", 5, ""),
    ("softmax", "Compare", "diff_b2[1]", 2, ""),
    ("softmax", "Data", "y[3]", 2, "class"),
]


@pytest.mark.parametrize(("kind", "sheet", "name", "row", "inputs"), PASTED)
def test_a_right_value_pasted(
    books: dict[str, Path], tmp_path: Path, kind: str, sheet: str, name: str, row: int, inputs: str
) -> None:
    package = Package.read(books[kind])
    cells = package.sheets[sheet].cells
    address = by_name(package, sheet, name, row) if row else name
    cell = cells[address]
    assert cell.formula is not None and cell.number is not None
    xml = package.sheets[sheet].edited(
        {address: cell.with_content(None, cell.kind, cell.content).xml()}
    )
    path = package.write(tmp_path / "pasted.xlsx", {package.sheets[sheet].part: xml})
    report = verify(path, perturb=True)
    assert failing(report) == {"formulas", "liveness"}
    first = report.checks["liveness"].first_failure
    assert first is not None and (first.sheet, first.cell) == (sheet, address)
    assert first.sheet_value == cell.number != first.python_value
    assert first.changed is not None
    assert not inputs or first.changed.name in inputs.split()


def test_a_wrong_value_pasted_is_named_too(books: dict[str, Path], tmp_path: Path) -> None:
    fault = in_cell("J6", ">.*</c>", "><v>17.5</v></c>")
    path = rewrite_sheet(books["line"], tmp_path / "wrong.xlsx", "Train", fault)
    report = verify(path, perturb=True)
    assert {"local", "trajectory", "liveness"} <= failing(report)
    assert report.checks["liveness"].first_failure is not None
    first = report.checks["liveness"].first_failure
    assert (first.sheet, first.cell, first.sheet_value) == ("Train", "J6", 17.5)
    assert first.changed is not None


def test_a_formula_that_is_wrong_but_alive(books: dict[str, Path], tmp_path: Path) -> None:
    """It follows its inputs, to the wrong place: found, but no input is to blame."""

    def fault(book: Workbook) -> None:
        book["Train"]["J6"].value = f"{book['Train']['J6'].value}+1"

    report = verify(change(books["line"], tmp_path / "alive.xlsx", fault), perturb=True)
    assert not report.checks["liveness"].ok
    first = report.checks["liveness"].first_failure
    assert first is not None and (first.cell, first.changed) == ("J6", None)


def test_without_it_there_is_no_liveness(books: dict[str, Path]) -> None:
    assert "liveness" not in verify(books["line"]).checks


def test_text_and_json(books: dict[str, Path], tmp_path: Path) -> None:
    told = run("verify", books["line"], "--perturb")
    assert told.exit_code == 0
    assert re.search(r"^  liveness   ok +[\d,]+ cells, all identical", told.output, re.MULTILINE)
    assert "input cells (learning_rate, W1, b1, x, y, " in told.output
    found = json.loads(run("verify", books["line"], "--perturb", "--json").output)
    check = found["checks"]["liveness"]
    assert (check["ok"], check["first_failure"], check["unchanged"]) == (True, None, [])
    assert check["cells"] == check["identical"] == found["cells"]
    assert check["max_abs"] == check["max_rel"] == 0
    assert check["changed"][0] == {
        "input": "learning_rate", "cell": "Config!B6", "from": 0.5, "to": 0.45, "cells": 1,
    }  # fmt: skip
    fault = in_cell("L6", "<f.*?(/>|</f>)", "")
    path = rewrite_sheet(books["line"], tmp_path / "dead.xlsx", "Train", fault)
    told = run("verify", path, "--perturb")
    assert told.exit_code == 1
    assert "; does not follow " in told.output
    first = json.loads(run("verify", path, "--perturb", "--json").output)
    first = first["checks"]["liveness"]["first_failure"]
    assert first["cell"] == "L6" and set(first["changed"]) == {"input", "cell", "from", "to"}


def test_saved_values_cannot_follow(books: dict[str, Path]) -> None:
    with pytest.raises(SheetnetError, match="needs an engine that recalculates"):
        verify(books["line"], "saved", perturb=True)
    told = run("verify", books["line"], "--engine", "saved", "--perturb")
    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr.startswith("Error: ") and told.stderr.count("\n") == 1


def test_formulas_typed_into_inputs(books: dict[str, Path], tmp_path: Path) -> None:
    def typed(book: Workbook) -> None:
        book["Config"]["B6"].value = "=1/3"
        book["Init"]["B6"].value = "=Config!B6*2"
        book["Data"]["B6"].value = "=B7+0.5"

    path = change(books["line"], tmp_path / "typed.xlsx", typed)
    report = verify(path, perturb=True)
    assert report.agree, report.to_text()
    cells = {c.cell: c for c in liveness(report).changed}
    assert cells["Config!B6"].before == 1 / 3
    assert cells["Init!B6"].before == 2 / 3 and "Data!B6" in cells


def test_a_formula_filled_down_a_column_of_inputs(books: dict[str, Path], tmp_path: Path) -> None:
    """Shared, as Excel writes it: the cells that keep it do not lose it with the first."""

    def shared(xml: str) -> str:
        xml = in_cell("B7", "<v>.*</v>", '<f t="shared" ref="B7:B9" si="77">B6*2</f><v>1</v>')(xml)
        for cell in ("B8", "B9"):
            xml = in_cell(cell, "<v>.*</v>", '<f t="shared" si="77"/><v>1</v>')(xml)
        return xml

    path = rewrite_sheet(books["line"], tmp_path / "shared.xlsx", "Data", shared)
    before = openpyxl.load_workbook(books["line"])["Data"]["B6"].value
    report = verify(path, perturb=True)
    assert {f for f in failing(report) if f != "saved"} == set(), report.to_text()
    assert {c.cell: c.before for c in liveness(report).changed}["Data!B9"] == before * 8
    copy = edited_copy(open_package(path), tmp_path_of(tmp_path), {"Data": {(7, 2): 7.0}})
    held = openpyxl.load_workbook(copy.path)["Data"]
    assert [held[c].value for c in ("B6", "B7", "B8", "B9")] == [before, 7, "=B7*2", "=B8*2"]


def tmp_path_of(folder: Path) -> Path:
    place = folder / "copy"
    place.mkdir()
    return place


def test_cells_of_any_application_are_edited(books: dict[str, Path], tmp_path: Path) -> None:
    """A prefix for all elements; no addresses; empty cells."""

    def strange(xml: str) -> str:
        inside = re.search(r"<sheetData>.*</sheetData>", xml, re.DOTALL)
        assert inside is not None
        return (
            '<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            '<x:sheetData><x:row><x:c s="1"/><x:c><x:v>2</x:v></x:c></x:row>'
            '<x:row r="3"><x:c/><x:c t="s"><x:v>0</x:v></x:c></x:row></x:sheetData></x:worksheet>'
        )

    path = rewrite_sheet(books["line"], tmp_path / "strange.xlsx", "Init", strange)
    edits = {"Init": {(1, 1): 5.0, (1, 2): "a < b", (3, 2): 0.1}}
    copy = edited_copy(open_package(path), tmp_path_of(tmp_path), edits)
    held = openpyxl.load_workbook(copy.path)["Init"]
    assert [held[c].value for c in ("A1", "B1", "B3")] == [5, "a < b", 0.1]
    with pytest.raises(SheetnetError, match="Init!C9 is not there"):
        edited_copy(open_package(path), copy.path.parent, {"Init": {(9, 3): 1.0}})


EXTREMES: dict[str, dict[str, Any]] = {
    "zeros": {"initializer": "zeros", "learning_rate": 0.0},
    "diverging": {
        "source": "toy:line", "data": {"rows": 3}, "learning_rate": 1e60,
        "layers": [{"units": 2, "activation": "relu"}, {"activation": "linear"}],
    },
    "constant column": {"data": {"scale": "standard", "rows": 2}},
    "clip that is never reached": {"clip": 1e9},
}  # fmt: skip


@pytest.mark.parametrize("name", EXTREMES)
def test_extremes(tmp_path: Path, name: str) -> None:
    sheetnet.export(make_spec(epochs=2, **EXTREMES[name]), tmp_path / "b.xlsx", sheets=[])
    report = verify(tmp_path / "b.xlsx", perturb=True)
    assert report.agree, report.to_text()


@pytest.mark.libreoffice
def test_in_libreoffice(books: dict[str, Path], tmp_path: Path) -> None:
    fault = in_cell("L6", "<f.*?(/>|</f>)", "")
    report = verify(books["adam"], "libreoffice", perturb=True)
    assert report.agree, report.to_text()
    path = rewrite_sheet(books["line"], tmp_path / "dead.xlsx", "Train", fault)
    report = verify(path, "libreoffice", perturb=True)
    first = report.checks["liveness"].first_failure
    assert first is not None and (first.cell, first.changed is not None) == ("L6", True)
