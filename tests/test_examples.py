"""Every example, recalculated by three engines that know nothing of each other."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from ledgers import Formualized, ledgers_in_python, without_values
from soffice import assert_libreoffice_agrees

import sheetnet
from sheetnet.regions import Region
from sheetnet.spec import load_spec

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))


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
@pytest.mark.parametrize("third", range(3))
def test_libreoffice_agrees(third: int, tmp_path: Path) -> None:
    """Several in one start, which takes as long as a short workbook."""
    books = []
    for example in EXAMPLES[third::3]:
        books.append(tmp_path / f"{example.stem}.xlsx")
        sheetnet.export(load_spec(example), books[-1])
    assert_libreoffice_agrees(books, tmp_path / "libreoffice")


# --- formualizer stands in for Excel, see ledgers.py


def test_formualizer_finds_no_circle_and_the_same_numbers(exported: tuple[Path, Path]) -> None:
    source, path = exported
    Formualized(without_values(path)).assert_same(ledgers_in_python(load_spec(source)))


def test_formualizer_reports_a_circle_that_others_compute(tmp_path: Path) -> None:
    """The control: a range that reaches a cell which depends on the formula."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet["A1"], sheet["A2"], sheet["B1"] = 1, "=B1+1", "=INDEX(A1:A2,1)"
    book.save(tmp_path / "circle.xlsx")
    area = Region("Sheet", 1, 1, 2, 2)
    with pytest.raises(AssertionError, match="Circ"):
        Formualized(tmp_path / "circle.xlsx").numbers(area)
    sheet["B1"] = "=INDEX(A1:A1,1)"
    sheet["B2"] = 0
    book.save(tmp_path / "fine.xlsx")
    assert Formualized(tmp_path / "fine.xlsx").numbers(area).tolist() == [[1, 1], [2, 0]]
