"""Edited inputs: the sheet recalculates, Python retrains from its cells, and both agree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import openpyxl
import pytest
from faults import change, export_kinds, failing, in_cell
from faults import rewrite_sheet as rewritten
from openpyxl.workbook import Workbook
from soffice import Job, edit_in_libreoffice
from support import WITHOUT_VIEWS, make_spec, run

import sheetnet
from sheetnet import verify

Edits = Mapping[str, float | str]

EDITS: dict[str, tuple[str, Edits]] = {
    "learning rate": ("xor", {"Config!B6": 0.123456789}),
    "learning rate 0": ("softmax", {"Config!B6": 0.0}),
    "weight": ("softmax", {"Init!C12": -0.7}),
    "bias": ("outputs", {"Init!D7": 0.3}),
    "data value": ("line", {"Data!B9": 3.75}),
    "target": ("line", {"Data!C6": -2.0}),
    "scaled value": ("softmax", {"Data!B9": 1e6}),
    "scaled target": ("outputs", {"Data!E11": -4.5}),
    "class": ("softmax", {"Data!D9": "blob_b"}),
    # All alike: the deviation, or the spread, is then taken as 1.
    "constant column": ("softmax", {f"Data!C{row}": 0.25 for row in range(9, 15)}),
    "constant target": ("outputs", {f"Data!D{row}": 7.0 for row in range(8, 12)}),
    "formula in rate": ("xor", {"Config!B6": "=1/3"}),
    "formula in weight": ("line", {"Init!B6": "=-1/3"}),
    "formula in data": ("outputs", {"Data!C8": "=1/3", "Data!B11": "=C8*2"}),
    "formula in class": ("softmax", {"Data!D14": '="blob_"&"a"'}),
    "all of line": ("line", {"Config!B6": 0.3, "Init!B6": "=1/3", "Init!C6": 2.0, "Data!B7": -1.5}),
    "all of xor": ("xor", {"Config!B6": 0.9, "Init!B6": 1.0, "Init!E12": 0.1, "Data!D7": 0.5}),
    "all of softmax": (
        "softmax",
        {"Config!B6": 0.7, "Init!D13": -1.0, "Data!C14": "=1/3", "Data!D10": "blob_a"},
    ),
    "all of outputs": (
        "outputs",
        {"Config!B6": 0.01, "Init!B11": 0.1, "Data!B8": 1 / 3, "Data!D11": "=2/7"},
    ),
}


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return export_kinds(tmp_path_factory.mktemp("kinds"))


def _by_openpyxl(source: Path, target: Path, edits: Edits) -> Path:
    def edit(book: Workbook) -> None:
        for where, content in edits.items():
            title, _, cell = where.partition("!")
            book[title][cell].value = content

    return change(source, target, edit)


@pytest.mark.parametrize("name", EDITS)
def test_edited_by_openpyxl(kinds: dict[str, Path], tmp_path: Path, name: str) -> None:
    kind, edits = EDITS[name]
    report = verify(_by_openpyxl(kinds[kind], tmp_path / "edited.xlsx", edits))
    assert report.agree, report.to_text()
    assert report.checks["local"].identical == report.cells
    assert report.checks["trajectory"].identical == report.cells


@pytest.mark.libreoffice
@pytest.mark.parametrize("name", [name for name in EDITS if name.startswith("all of")])
def test_edited_by_openpyxl_calculated_by_libreoffice(
    kinds: dict[str, Path], tmp_path: Path, name: str
) -> None:
    kind, edits = EDITS[name]
    path = _by_openpyxl(kinds[kind], tmp_path / "edited.xlsx", edits)
    report = verify(path, "libreoffice")
    assert report.agree, report.to_text()
    assert report.engine == "libreoffice"


@pytest.mark.parametrize(
    ("kind", "title", "cell", "content"),
    [
        ("xor", "Config", "B6", "<v>0.25</v>"),
        ("line", "Init", "B6", "<v>0.75</v>"),
        ("line", "Data", "B7", "<v>0.5</v>"),
        ("softmax", "Data", "C9", "<v>2.5</v>"),
        # A formula's saved value is as old as all others: it must not be what Python takes.
        ("xor", "Config", "B6", "<f>1/3</f><v>99</v>"),
        ("line", "Init", "B6", "<f>1/3</f><v>99</v>"),
        ("softmax", "Data", "C9", "<f>1/3</f><v>99</v>"),
    ],
)
def test_an_edit_moves_the_whole_training(
    kinds: dict[str, Path], tmp_path: Path, kind: str, title: str, cell: str, content: str
) -> None:
    """Only the input itself is rewritten: the saved results are now those of before.

    That they disagree with the new ones shows that sheet and Python really moved.
    """
    edit = in_cell(cell, "<v>.*?</v>", content)
    report = verify(rewritten(kinds[kind], tmp_path / "edited.xlsx", title, edit))
    assert failing(report) == {"saved"}
    assert report.checks["saved"].failures > 10
    assert report.checks["trajectory"].identical == report.cells


# --- in LibreOffice itself, as a student does it


@pytest.fixture(scope="module")
def edited(kinds: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every edit, done and saved in LibreOffice; "again" edits a file that it saved before."""
    folder = tmp_path_factory.mktemp("edited")
    paths = {name: folder / f"{name}.xlsx" for name in [*EDITS, "again", "too high", "calmed"]}
    jobs = [Job(kinds[kind], paths[name], edits) for name, (kind, edits) in EDITS.items()]
    jobs.append(Job(paths["all of softmax"], paths["again"], {"Config!B6": 0.2, "Data!B10": -1.0}))
    jobs.append(Job(kinds["line"], paths["too high"], {"Config!B6": 1e200}))
    jobs.append(Job(paths["too high"], paths["calmed"], {"Config!B6": 0.05}))
    edit_in_libreoffice(jobs, folder)
    return paths


@pytest.mark.libreoffice
@pytest.mark.parametrize("name", [*EDITS, "again", "too high", "calmed"])
@pytest.mark.parametrize("engine", ["saved", "ironcalc"])
def test_edited_in_libreoffice(edited: dict[str, Path], name: str, engine: str) -> None:
    result = run("verify", edited[name], "--engine", engine)
    assert result.exit_code == 0, result.output
    assert f"recalculated by {engine}" in result.output


@pytest.mark.libreoffice
def test_libreoffice_did_edit_and_recalculate(
    kinds: dict[str, Path], edited: dict[str, Path]
) -> None:
    """Else the test above would pass for files that were merely copied."""

    def losses(path: Path, column: str) -> list[object]:
        sheet = openpyxl.load_workbook(path, data_only=True)["Train"]
        return [cell.value for cell in sheet[column][4:]]

    book = openpyxl.load_workbook(edited["all of line"])
    assert book["Config"]["B6"].value == 0.3
    assert str(book["Init"]["B6"].value).replace(" ", "") == "=1/3"
    before, after = losses(kinds["line"], "K"), losses(edited["all of line"], "K")
    assert len(before) == len(after) == 8
    assert all(a != b for a, b in zip(before, after, strict=True))
    assert losses(edited["too high"], "K")[-1] == "#NUM!"


def test_saved_values_of_sheetnet_and_openpyxl_are_refused(
    kinds: dict[str, Path], tmp_path: Path
) -> None:
    """Reading back what sheetnet wrote itself would prove nothing."""
    again = change(kinds["line"], tmp_path / "again.xlsx", lambda book: None)
    for path, who in ((kinds["line"], "sheetnet"), (again, "Openpyxl")):
        result = run("verify", path, "--engine", "saved")
        assert result.exit_code == 2
        assert result.stdout == ""
        assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1
        assert who in result.stderr and "which does not calculate" in result.stderr


# --- runs that diverge


DIVERGING = {
    "linear": ([{"activation": "linear"}], 1e30),
    "relu": ([{"units": 3, "activation": "relu"}, {"activation": "linear"}], 1e30),
    "tanh": ([{"units": 3, "activation": "tanh"}, {"activation": "linear"}], 1e200),
}


@pytest.mark.parametrize("name", DIVERGING)
@pytest.mark.parametrize(
    "engine", ["ironcalc", pytest.param("libreoffice", marks=pytest.mark.libreoffice)]
)
def test_a_run_that_diverges(tmp_path: Path, name: str, engine: str) -> None:
    layers, rate = DIVERGING[name]
    spec = make_spec(
        source="toy:line", data={"rows": 4}, layers=layers, epochs=3, learning_rate=rate
    )
    path = tmp_path / "diverging.xlsx"
    visit = sheetnet.export(spec, path, sheets=WITHOUT_VIEWS).diverged_at
    assert visit is not None and visit == sheetnet.train(spec).diverged_at
    report = verify(path, engine)
    assert report.agree, report.to_text()
    assert f"Both diverge at visit {visit}" in report.to_text()
    trajectory = json.loads(report.to_json())["checks"]["trajectory"]
    assert trajectory["python_diverged_at"] == trajectory["sheet_diverged_at"] == visit


def test_a_sheet_that_diverges_alone_disagrees(tmp_path: Path) -> None:
    """An error value counts as agreement only where Python has no number either."""
    spec = make_spec(
        source="toy:line", data={"rows": 4}, layers=DIVERGING["linear"][0], learning_rate=1e30
    )
    path = tmp_path / "diverging.xlsx"
    visit = sheetnet.export(spec, path, sheets=WITHOUT_VIEWS).diverged_at
    assert visit is not None and visit > 3

    def too_early(book: Workbook) -> None:
        book["Train"]["K6"].value = "=1/0"

    report = verify(change(path, tmp_path / "early.xlsx", too_early))
    assert not report.agree
    assert f"Python diverges at visit {visit}, the sheet at visit 2." in report.to_text()
