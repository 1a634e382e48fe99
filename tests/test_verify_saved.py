"""Values that a file holds: wrong ones must be found, LibreOffice's own be accepted."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
import pytest
from faults import (
    DATA_CELLS,
    assert_first,
    change,
    export_kinds,
    failing,
    in_cell,
    ledger_cell,
    saved_value,
    visit_of,
)
from faults import rewrite_sheet as rewritten
from soffice import Job, edit_in_libreoffice

from sheetnet import verify

Kinds = dict[str, Path]


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Kinds:
    return export_kinds(tmp_path_factory.mktemp("kinds"))


@pytest.fixture(scope="module")
def resaved(kinds: Kinds, tmp_path_factory: pytest.TempPathFactory) -> Kinds:
    """The same workbooks, opened and saved by LibreOffice."""
    folder = tmp_path_factory.mktemp("libreoffice")
    saved = {kind: folder / f"{kind}.xlsx" for kind in kinds}
    edit_in_libreoffice([Job(kinds[kind], saved[kind]) for kind in kinds], folder)
    return saved


SAVED = [
    ("line", "x[1]", 1),
    ("line", "ub1[1]", -1),
    ("xor", "W1[3,2]", 2),
    ("xor", "delta1[1]", 5),
    ("softmax", "a2[3]", -1),
    ("outputs", "loss", 1),
]


@pytest.mark.parametrize(("kind", "quantity", "visit"), SAVED)
def test_a_wrong_saved_value_is_not_believed(
    kinds: Kinds, tmp_path: Path, kind: str, quantity: str, visit: int
) -> None:
    """Formulas are right, so all is right but the value that a viewer would show."""
    cell = ledger_cell(openpyxl.load_workbook(kinds[kind]), quantity, visit)
    for fault in (
        saved_value(cell.coordinate, lambda value: value + 1),
        saved_value(cell.coordinate, lambda value: value * (1 + 1e-4) + 1e-4),
        in_cell(cell.coordinate, "><f(.*)<v>[^<]*", r' t="str"><f\1<v>text'),
        in_cell(cell.coordinate, "><f(.*)<v>[^<]*", r' t="e"><f\1<v>#NUM!'),
        in_cell(cell.coordinate, "><f(.*)<v>[^<]*", r' t="b"><f\1<v>1'),
    ):
        report = verify(rewritten(kinds[kind], tmp_path / "fault.xlsx", "Train", fault))
        named = f"{quantity}, value saved in the file"
        assert_first(report, "saved", "Train", cell.coordinate, named, visit_of(cell))
        assert failing(report) == {"saved"}
        assert report.checks["saved"].failures == 1


@pytest.mark.parametrize(("kind", "cell", "quantity"), DATA_CELLS[:4])
def test_a_wrong_saved_value_on_data(
    kinds: Kinds, tmp_path: Path, kind: str, cell: str, quantity: str
) -> None:
    fault = saved_value(cell, lambda value: value + 0.5)
    report = verify(rewritten(kinds[kind], tmp_path / "fault.xlsx", "Data", fault))
    named = f"{quantity}, value saved in the file"
    assert_first(report, "saved", "Data", cell, named, None)
    assert failing(report) == {"saved"}


@pytest.mark.libreoffice
def test_the_engine_libreoffice_believes_no_saved_value(kinds: Kinds, tmp_path: Path) -> None:
    """With its default settings LibreOffice keeps what the file holds, and would say so."""

    def all_wrong(xml: str) -> str:
        return re.sub(r"(<f[ >/](?:(?!</c>).)*<v>)[^<]*", r"\g<1>7.5", xml)

    path = rewritten(kinds["softmax"], tmp_path / "wrong.xlsx", "Train", all_wrong)
    report = verify(path, "libreoffice")
    assert failing(report) == {"saved"}
    assert report.checks["saved"].failures > 800


@pytest.mark.libreoffice
def test_libreoffice_saves_workbooks_that_agree(resaved: Kinds, tmp_path: Path) -> None:
    """It writes formulas in its own spelling, 15 digits, and its own way of sharing texts."""
    for path in resaved.values():
        for engine in ("ironcalc", "saved"):
            report = verify(path, engine)
            assert report.agree, report.to_text()
            assert report.checks["local"].cells == report.cells
            # With the engine "saved" it would compare the file with itself.
            assert ("saved" in report.checks) == (engine == "ironcalc")
    last = verify(change(resaved["softmax"], tmp_path / "again.xlsx", lambda book: None))
    assert last.agree, last.to_text()


@pytest.mark.libreoffice
@pytest.mark.parametrize(("kind", "quantity", "visit"), SAVED)
def test_a_wrong_value_in_a_file_of_libreoffice(
    resaved: Kinds, tmp_path: Path, kind: str, quantity: str, visit: int
) -> None:
    """With ``saved`` nothing recalculates: the value itself is on trial."""
    cell = ledger_cell(openpyxl.load_workbook(resaved[kind]), quantity, visit)
    where = ("Train", cell.coordinate, quantity, visit_of(cell))
    for change_by in (1.0, 1e-3):
        fault = saved_value(cell.coordinate, lambda value, by=change_by: value + by)  # type: ignore[misc]
        path = rewritten(resaved[kind], tmp_path / "fault.xlsx", "Train", fault)
        report = verify(path, "saved")
        assert report.checks["formulas"].ok
        assert_first(report, "local", *where)
        assert_first(report, "trajectory", *where)
        assert failing(verify(path, "ironcalc")) == {"saved"}
    # Below what the trajectory lets pass, and still no rounding of LibreOffice's.
    fault = saved_value(cell.coordinate, lambda value: value + 1e-8 * (abs(value) + 0.1))
    report = verify(rewritten(resaved[kind], tmp_path / "fault.xlsx", "Train", fault), "saved")
    assert_first(report, "local", *where)


@pytest.mark.libreoffice
@pytest.mark.parametrize(("kind", "cell", "quantity"), DATA_CELLS)
def test_a_wrong_value_on_data_in_a_file_of_libreoffice(
    resaved: Kinds, tmp_path: Path, kind: str, cell: str, quantity: str
) -> None:
    fault = saved_value(cell, lambda value: value + 0.25)
    report = verify(rewritten(resaved[kind], tmp_path / "fault.xlsx", "Data", fault), "saved")
    assert_first(report, "local", "Data", cell, quantity, None)


@pytest.mark.libreoffice
def test_a_pasted_value_in_a_file_of_libreoffice(resaved: Kinds, tmp_path: Path) -> None:
    fault = in_cell("J7", "<f[ >].*</f>", "")
    report = verify(rewritten(resaved["line"], tmp_path / "fault.xlsx", "Train", fault), "saved")
    assert_first(report, "formulas", "Train", "J7", "a1[1]", 3)
    assert failing(report) == {"formulas"}
