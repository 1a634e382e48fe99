"""Every input cell says what may be typed into it, and refuses the rest."""

from __future__ import annotations

from pathlib import Path

from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from support import make_spec, shortened

import sheetnet
from sheetnet.layout import layout_of
from sheetnet.problem import load_problem
from sheetnet.spec import Spec

EXAMPLES = Path(__file__).parent.parent / "examples"


def kinds(sheet: Worksheet) -> dict[str, str]:
    """Cell -> the kind of its rule; all rules have a title, a prompt and an error."""
    found = {}
    for rule in sheet.data_validations.dataValidation:
        assert rule.promptTitle and rule.prompt and rule.error
        assert rule.showInputMessage and rule.showErrorMessage
        for part in rule.sqref.ranges:
            for row, column in part.cells:
                found[sheet.cell(row, column).coordinate] = rule.type
    return found


def blue(sheet: Worksheet) -> set[str]:
    """The cells that look like inputs."""
    return {
        cell.coordinate
        for row in sheet.iter_rows()
        for cell in row
        if cell.fill.fgColor.rgb == "00FFFBD6" and cell.value is not None
    }


def check(spec: Spec, folder: Path) -> None:
    sheetnet.export(spec, folder / "b.xlsx")
    book = load_workbook(folder / "b.xlsx")
    for title in ("Config", "Data", "Init"):
        assert set(kinds(book[title])) == blue(book[title]), title


def test_each_input_has_a_message(tmp_path: Path) -> None:
    check(make_spec(), tmp_path)
    check(shortened(EXAMPLES / "overfitting_early_stopping.toml", 8_000), tmp_path)
    check(shortened(EXAMPLES / "iris.toml", 8_000), tmp_path)
    check(shortened(EXAMPLES / "mazur.toml", 8_000), tmp_path)


def test_classes_are_chosen_from_a_list(tmp_path: Path) -> None:
    spec = shortened(EXAMPLES / "iris.toml", 8_000)
    sheetnet.export(spec, tmp_path / "b.xlsx")
    sheet = load_workbook(tmp_path / "b.xlsx")["Data"]
    data = layout_of(load_problem(spec)).data
    (rule,) = (r for r in sheet.data_validations.dataValidation if r.type == "list")
    listed = [cell.value for row in sheet[rule.formula1.replace("$", "")] for cell in row]
    assert listed == ["setosa", "versicolor", "virginica"]
    target = sheet.cell(data.first_row, data.target_column).coordinate
    assert target in rule.sqref
