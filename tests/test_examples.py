"""Every example, recalculated by three engines that know nothing of each other."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import formualizer
import numpy as np
import openpyxl
import pytest

import sheetnet
from sheetnet.concepts.arithmetic import Array
from sheetnet.spec import load_spec

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))
FIRST_ROW = 5


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda path: path.stem)
def exported(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Spec and workbook of each example in turn."""
    path = tmp_path_factory.mktemp("book") / f"{request.param.stem}.xlsx"
    sheetnet.export(load_spec(request.param), path)
    return request.param, path


def test_ironcalc_agrees_to_the_last_bit(exported: tuple[Path, Path]) -> None:
    report = sheetnet.verify(exported[1])
    assert report.agree, report.to_text()
    for name in ("local", "trajectory", "saved"):
        check = report.checks[name]
        assert check.cells > 0
        assert check.identical == check.cells, report.to_text()
    assert report.checks["local"].cells == report.checks["formulas"].cells


@pytest.mark.libreoffice
def test_libreoffice_agrees(exported: tuple[Path, Path]) -> None:
    report = sheetnet.verify(exported[1], "libreoffice")
    assert report.agree, report.to_text()
    assert report.engine == "libreoffice" and report.cells > 0


# --- formualizer stands in for Excel: it tracks dependencies by whole ranges, so that a
# range which reaches a cell that depends on the formula is circular.


def without_values(path: Path) -> Path:
    """A copy whose formula cells hold no values: what is read then has been calculated."""
    result = path.with_name(f"{path.stem}-bare.xlsx")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(result, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.startswith("xl/worksheets/"):
                content = re.sub(rb"(<f[^>]*/>|</f>)<v>[^<]*</v>", rb"\1", content)
            target.writestr(name, content)
    return result


def calculated(path: Path, sheet: str, first: tuple[int, int], last: tuple[int, int]) -> Array:
    """A range as formualizer calculates it; its first error is the failure's text."""
    book = formualizer.load_workbook(str(path))
    book.evaluate_all()
    area = formualizer.RangeAddress(sheet, *first, *last)
    rows = book.sheet(sheet).get_values(area)
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            assert isinstance(value, float | int), f"{sheet} row {first[0] + r}, {c + 1}: {value}"
    return np.array(rows, dtype=float)


def test_formualizer_finds_no_circle_and_the_same_numbers(exported: tuple[Path, Path]) -> None:
    source, path = exported
    matrix = sheetnet.train(load_spec(source)).matrix
    last = (FIRST_ROW + len(matrix) - 1, matrix.shape[1])
    found = calculated(without_values(path), "Train", (FIRST_ROW, 1), last)
    differing = int((found != matrix).sum())
    print(f"{source.stem}: {differing} of {matrix.size} cells differ in some bits")
    assert np.allclose(found, matrix, rtol=1e-12, atol=1e-12), f"{differing} cells differ"
    assert differing == 0


def test_formualizer_reports_a_circle_that_others_compute(tmp_path: Path) -> None:
    """The control: a range that reaches a cell which depends on the formula."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet["A1"], sheet["A2"], sheet["B1"] = 1, "=B1+1", "=INDEX(A1:A2,1)"
    book.save(tmp_path / "circle.xlsx")
    with pytest.raises(AssertionError, match="Circ"):
        calculated(tmp_path / "circle.xlsx", "Sheet", (1, 1), (2, 2))
    sheet["B1"] = "=INDEX(A1:A1,1)"
    sheet["B2"] = 0
    book.save(tmp_path / "fine.xlsx")
    assert calculated(tmp_path / "fine.xlsx", "Sheet", (1, 1), (2, 2)).tolist() == [[1, 1], [2, 0]]
