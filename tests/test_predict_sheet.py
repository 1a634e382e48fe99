"""``Predict`` as a sheet: what it says, its faults are found, what does not fit is left out."""

from __future__ import annotations

import dataclasses
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from faults import assert_first, change, failing, replace, rewrite_sheet, saved_value
from openpyxl.cell.cell import Cell
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from predictions import Predicted, spec_of
from support import make_spec

import sheetnet
from sheetnet import verify
from sheetnet.errors import LimitError
from sheetnet.reader.package import open_package
from sheetnet.regions import PREDICT, address
from sheetnet.views.make import views_of
from sheetnet.views.predict import plan as plan_module
from sheetnet.views.predict.plan import GRID
from sheetnet.workbook import predict_map as map_module
from sheetnet.workbook.fitting import check_views


@pytest.fixture(scope="module")
def moons(tmp_path_factory: pytest.TempPathFactory) -> Predicted:
    folder = tmp_path_factory.mktemp("moons")
    return Predicted(spec_of("moons", folder, epochs=2), folder)


def place(predicted: Predicted, what: str) -> tuple[str, str]:
    """A cell of each kind, and what it is called."""
    plan = predicted.plan
    assert plan.points is not None and plan.points_region is not None
    tables = {
        "typed": (plan.typed, plan.typed_region),
        "rows": (plan.rows, plan.rows_region),
        "points": (plan.points, plan.points_region),
    }
    if what == "map":
        return address(plan.map.row + 8, plan.map.column + 20), f"cell {8 * GRID + 21} of the map"
    if what == "matrix":
        row = plan.matrix_rows[0] + 3
        return address(row, 3), "training rows of class 2 told to be 2"
    if what == "edge":
        return address(plan.map.last_row + 1, plan.map.column + 5), "x1 of this column"
    table, quantity, row = what.split(" ")
    ledger, region = tables[table]
    column = region.column + ledger.labels.index(quantity)
    return address(region.row + int(row), column), quantity


def faulty(predicted: Predicted, where: str, fault: Callable[[Cell], object], to: Path) -> Path:
    """A copy with a fault in one cell."""
    cell = predicted.book[PREDICT][where]
    assert isinstance(cell, Cell)
    exported = cell.value
    try:
        fault(cell)
        predicted.book.save(to)
    finally:
        cell.value = exported
    return to


FORMULAS = ["map", "edge", "typed z2[1] 0", "rows told[1] 6", "points x[2] 40", "points here 0"]


@pytest.mark.parametrize("what", FORMULAS)
def test_a_pasted_value_is_found(what: str, moons: Predicted, tmp_path: Path) -> None:
    where, quantity = place(moons, what)

    def paste(cell: Cell) -> None:
        cell.value = 0.25

    report = verify(faulty(moons, where, paste, tmp_path / "pasted.xlsx"))
    assert_first(report, "formulas", PREDICT, where, quantity, None)


CHANGED: dict[str, Callable[[Cell], None]] = {
    "map": lambda cell: replace(cell, "IF(", "2*IF("),
    "matrix": lambda cell: replace(cell, ",2,", ",1,"),
    "typed W1[2,1] 0": lambda cell: replace(cell, "+INDEX", "-INDEX"),
    "rows a1[3] 4": lambda cell: replace(cell, "TANH(", "-TANH("),
    "points a2[1] 1680": lambda cell: replace(cell, "1/(1+", "1/(2+"),
}


@pytest.mark.parametrize("what", CHANGED)
def test_a_changed_formula_is_found_with_its_wrong_value(
    what: str, moons: Predicted, tmp_path: Path
) -> None:
    where, quantity = place(moons, what)

    report = verify(faulty(moons, where, CHANGED[what], tmp_path / "changed.xlsx"))
    assert_first(report, "formulas", PREDICT, where, quantity, None)
    assert_first(report, "local", PREDICT, where, quantity, None)
    assert_first(report, "trajectory", PREDICT, where, quantity, None)


@pytest.mark.parametrize("what", ["matrix", "typed z2[1] 0", "rows loss 16", "map"])
def test_a_wrong_saved_value_is_found(what: str, moons: Predicted, tmp_path: Path) -> None:
    where, quantity = place(moons, what)
    fault = saved_value(where, lambda value: value + 1)
    report = verify(rewrite_sheet(moons.path, tmp_path / "saved.xlsx", PREDICT, fault))
    note = f"{quantity}, value saved in the file"
    assert_first(report, "saved", PREDICT, where, note, None)
    assert failing(report) == {"saved"}


def test_a_fault_on_data_is_found_there(tmp_path: Path) -> None:
    """What is made of it on ``Predict`` comes later, even of a class that there is not."""
    spec = spec_of("blobs", tmp_path, epochs=1)
    predicted = Predicted(spec, tmp_path)
    data = predicted.plan.layout.data
    label = predicted.problem.targets.values[0].tolist().index(1.0)
    where = address(data.first_row, data.y_column + label)

    def fault(book: Workbook) -> None:
        book["Data"][where].value = "=1-1"

    report = verify(change(predicted.path, tmp_path / "fault.xlsx", fault))
    for check in ("formulas", "local"):
        assert_first(report, check, "Data", where, f"y[{label + 1}]", None)


def test_a_redirected_name_is_found(moons: Predicted, tmp_path: Path) -> None:
    def redirect(book: Workbook) -> None:
        book.defined_names["at_update"].attr_text = f"{PREDICT}!$B$4"

    report = verify(change(moons.path, tmp_path / "redirected.xlsx", redirect))
    assert_first(report, "formulas", PREDICT, "B3", "defined name at_update", None)


# --- what it looks like


def sheet_of(predicted: Predicted) -> Worksheet:
    found = predicted.book[PREDICT]
    assert isinstance(found, Worksheet)
    return found


def test_inputs_tell_what_may_be_typed(moons: Predicted) -> None:
    sheet, updates = sheet_of(moons), moons.plan.updates
    rules = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
    assert set(rules) == {"B3", "B8", "B9"}
    at = rules["B3"]
    assert (at.type, at.formula1, at.formula2) == ("whole", "0", str(updates))
    assert all(rule.showErrorMessage and rule.prompt for rule in rules.values())
    assert sheet["B3"].value == updates
    assert [sheet["B8"].value, sheet["B9"].value] == moons.problem.inputs.raw[0].tolist()
    assert moons.book.defined_names["at_update"].attr_text == f"{PREDICT}!$B$3"
    assert {sheet[cell].font.color.rgb for cell in rules} == {"000000FF"}


def test_the_map_is_square_and_coloured(moons: Predicted) -> None:
    sheet, grid = sheet_of(moons), moons.plan.map
    where = f"{address(grid.row, grid.column)}:{address(grid.last_row, grid.last_column)}"
    assert grid.rows == grid.columns >= 41
    rules = [
        rule
        for found in sheet.conditional_formatting
        if str(found.sqref) == where
        for rule in found.rules
    ]
    scales = [rule.colorScale for rule in rules if rule.type == "colorScale"]
    assert len(scales) == 1 and len(scales[0].color) == 3
    assert [float(end.val) for end in scales[0].cfvo] == [0, 0.5, 1]
    heights = [sheet.row_dimensions[row].height for row in range(grid.row, grid.last_row + 1)]
    assert set(heights) == {None}
    formats = {sheet[where][r][c].number_format for r in (0, 20, 40) for c in (0, 20, 40)}
    assert formats == {";;;@"}


def test_charts_cover_no_cells(tmp_path: Path) -> None:
    """A curve for one input, predictions against targets where there are more than two."""
    for kind, series in (("curve", 3), ("wide", 2), ("flowers", 9)):
        predicted = Predicted(spec_of(kind, tmp_path), tmp_path)
        sheet = sheet_of(predicted)
        (chart,) = sheet._charts
        assert len(chart.series) == series
        corner, size = chart.anchor._from, chart.anchor.ext
        first, last = predicted.plan.picture_column, predicted.plan.picture_end
        widths = [sheet.column_dimensions[openpyxl.utils.get_column_letter(c)].width for c in
                  range(first, last + 1)]  # fmt: skip
        assert corner.col == first - 1
        assert size.width / 9525 <= sum(7 * width + 5 for width in widths)
        bottom = corner.row + 1 + -(-size.height // (9525 * 20))
        under = sheet.iter_rows(corner.row + 1, bottom, first, last)
        assert not [cell.coordinate for row in under for cell in row if cell.value is not None]


def test_names_that_look_like_formulas_stay_texts(tmp_path: Path) -> None:
    predicted = Predicted(spec_of("flowers", tmp_path), tmp_path)
    classes = list(predicted.problem.classes or ())
    assert classes == ["-b", "=1+1", "c &<"]
    row = predicted.plan.outputs_row
    assert [predicted.cell(row + k, 1) for k in (1, 2, 3)] == classes
    for line in sheet_of(predicted).iter_rows():
        for cell in line:
            if isinstance(cell.value, str) and any(name in cell.value for name in classes[:2]):
                assert cell.data_type == "s" or "1+1" not in cell.value


def test_no_two_shared_formulas_have_one_index(moons: Predicted) -> None:
    part = open_package(moons.path).sheets[PREDICT]
    with zipfile.ZipFile(moons.path) as package:
        text = package.read(part).decode()
    found = re.findall(r'<f t="shared" ref="[^"]*" si="(\d+)"', text)
    assert len(found) > 20 and len(set(found)) == len(found)


# --- sizes


def test_more_classes_than_a_matrix_shows(tmp_path: Path) -> None:
    rows = "".join(f"{i % 7},{i % 5},{i % 3},kind {i:02}\n" for i in range(31))
    (tmp_path / "d.csv").write_text(f"a,b,c,kind\n{rows}", encoding="utf-8")
    spec = make_spec(
        source="d.csv",
        folder=tmp_path,
        data={"target": "kind"},
        layers=[{"activation": "softmax"}],
        epochs=1,
    )
    predicted = Predicted(spec, tmp_path)
    plan = predicted.plan
    assert plan.matrix_rows == ()
    said = sheet_of(predicted).cell(plan.quality_row + plan.quality_rows + 2, 1).value
    assert "31 classes" in str(said)
    report = verify(predicted.path)
    assert report.agree, report.to_text()


def test_many_training_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first ones are drawn, and the sheet says so."""
    assert plan_module.SHOWN_POINTS == 1000
    for module in (plan_module, map_module):
        monkeypatch.setattr(module, "SHOWN_POINTS", 12)
    spec = make_spec(
        source="toy:circles", data={"rows": 30}, layers=[{"activation": "sigmoid"}], epochs=1
    )
    predicted = Predicted(spec, tmp_path)
    here = predicted.points["here"]
    cells = predicted.rows["cell"][:12]
    assert set(here[here > 0]) == {float(np.argmax(cells == cell) + 1) for cell in set(cells)}
    texts = [cell.value for row in sheet_of(predicted).iter_rows() for cell in row]
    assert "Of 30 training rows the first 12 are shown." in texts


def test_what_does_not_fit_is_refused(moons: Predicted) -> None:
    """A sheet has 1,048,576 rows, 16,384 columns, a formula 8,192 characters."""
    view = next(v for v in views_of(moons.problem, moons.plan.layout) if v.title == "Predict")
    check_views([view])
    table = view.tables[-1]
    room = 1_048_576 - table.region.row + 1
    for rows, columns, what in (
        (room, 1, None),
        (room + 1, 1, "Predict would need 1048577 rows"),
        (1, 16_385, r"Predict would need 16\d+ columns"),
    ):
        region = dataclasses.replace(table.region, rows=rows, columns=columns)
        large = dataclasses.replace(table, region=region)
        changed = dataclasses.replace(view, tables=(*view.tables[:-1], large))
        if what is None:
            check_views([changed])
            continue
        with pytest.raises(LimitError, match=f"{what}.*--sheets"):
            check_views([changed])
    long = dataclasses.replace(view.cells[0], text="1+" * 5000 + "1")
    with pytest.raises(LimitError, match="10001 characters"):
        check_views([dataclasses.replace(view, cells=(long,))])


def test_a_workbook_without_it(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    sheetnet.export(spec_of("moons", tmp_path), path, sheets=["Epochs"])
    assert PREDICT not in openpyxl.load_workbook(path, read_only=True).sheetnames
    assert verify(path).agree
