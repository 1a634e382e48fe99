"""``Compare`` in LibreOffice, and as others depend on cells: formualizer for Excel's rules."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from comparing import STATUS, everything, inputs, place
from faults import export_kinds
from ledgers import Formualized, without_values
from openpyxl.utils import get_column_letter
from soffice import Job, edit_in_libreoffice
from support import make_spec

import sheetnet
from sheetnet.recalc.libreoffice import convert
from sheetnet.regions import Region
from sheetnet.spec import load_spec

EXAMPLES = Path(__file__).parent.parent / "examples"
MATCH = "Match: this workbook and Python have the same training, number by number."


def head_of(path: Path, cell: str = STATUS) -> object:
    return openpyxl.load_workbook(path, data_only=True)["Compare"][cell].value


@pytest.mark.libreoffice
@pytest.mark.parametrize("kind", ["xor", "softmax", "outputs", "everything", "exploding_relu"])
def test_recalculated_by_libreoffice_it_matches(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    if kind in ("xor", "softmax", "outputs"):
        path = export_kinds(tmp_path, sheets=["Compare"])[kind]
    elif kind == "everything":
        sheetnet.export(everything(), path, sheets=["Compare"])
    else:
        sheetnet.export(load_spec(EXAMPLES / f"{kind}.toml"), path, sheets=["Compare"])
    result = convert(path, tmp_path, "xlsx")
    assert head_of(result) == MATCH
    assert [head_of(result, c) for c in ("E5", "F5", "G5", "H5", "J5")] == ["none"] * 3 + [0, 0]
    report = sheetnet.verify(result, "saved")
    assert report.agree, report.to_text()


@pytest.mark.libreoffice
def test_edits_in_libreoffice_are_named(tmp_path: Path) -> None:
    """Of files whose values it takes as they are; all of them verify afterwards."""
    kinds = export_kinds(tmp_path, sheets=["Compare"])
    kinds["everything"] = tmp_path / "everything.xlsx"
    sheetnet.export(everything(), kinds["everything"])
    cases = [
        ("xor", {}, None),
        ("xor", {"Config!B6": 0.25}, "learning_rate"),
        ("xor", {"Init!B6": 0.1, "Data!C8": 0.5}, "x2, weights of layer 1"),
        ("softmax", {"Data!D9": "class 2"}, "class"),
        ("outputs", {"Data!E9": 0.125}, "v"),
        ("everything", {"Config!B6": 0.3, "Data!C15": 0.5}, "learning_rate, x1"),
    ]
    sheet = openpyxl.load_workbook(kinds["softmax"])["Data"]
    labels = [c.value for c in sheet["D"][8:]]
    other = next(label for label in labels if label != labels[0])
    cases[3] = ("softmax", {"Data!D9": other}, "class")
    jobs = [
        Job(kinds[kind], tmp_path / f"edited{i}.xlsx", edits)  # type: ignore[arg-type]
        for i, (kind, edits, _) in enumerate(cases)
    ]
    edit_in_libreoffice(jobs, tmp_path / "libreoffice")
    for job, (_, _, names) in zip(jobs, cases, strict=True):
        status = str(head_of(job.target))
        if names is None:
            # Nothing has recalculated it: LibreOffice does not by itself.
            assert status.startswith("Not recalculated yet") or status == MATCH
        else:
            assert status.startswith(f"Changed since export: {names}. Python's numbers"), status
        for engine in ("saved", "ironcalc"):
            report = sheetnet.verify(job.target, engine)
            assert report.agree, report.to_text()


@pytest.mark.parametrize("name", ["batches", "overfitting_early_stopping", "exploding_relu"])
def test_no_range_reaches_back(name: str, tmp_path: Path) -> None:
    """No circle by Excel's rules, and the same texts."""
    spec = load_spec(EXAMPLES / f"{name}.toml").override(epochs=2)
    sheetnet.export(spec, tmp_path / "b.xlsx")
    book = Formualized(without_values(tmp_path / "b.xlsx"))
    sheet = openpyxl.load_workbook(tmp_path / "b.xlsx")["Compare"]
    first = inputs(sheet)["learning_rate"]
    for row, column, rows in ((3, 1, 1), (5, 8, 1), (5, 10, 1), (first, 7, len(inputs(sheet)))):
        region = Region("Compare", row, column, rows, 1)
        if row == 3:
            area = f"{get_column_letter(column)}{row}"
            assert book.book.sheet("Compare").get_cell(row, column).value == MATCH, area
        else:
            assert not book.numbers(region).any()


def test_long_runs_of_equal_formulas(tmp_path: Path) -> None:
    """LibreOffice reports circles in them under early stopping: see test_long_epochs."""
    sheetnet.export(make_spec(epochs=1), tmp_path / "b.xlsx")
    plain = openpyxl.load_workbook(tmp_path / "b.xlsx")["Compare"]
    assert "$" not in plain[place(plain, "W1[1,1]", 1)].value
    spec = everything().override(epochs=60)
    sheetnet.export(spec, tmp_path / "c.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "c.xlsx")["Compare"]
    heads = {str(c.value): c.column for c in sheet[10]}
    for name in ("loss", "W1[1,1]", "diff_loss", "largest", "beyond", "worst"):
        texts = [sheet.cell(row, heads[name]).value.count("$") for row in range(11, 11 + 120)]
        runs = [texts[i : i + 64] for i in range(0, 120, 64)]
        assert all(len(set(run)) == 1 for run in runs) and runs[0][0] != runs[1][0], name
