"""Early stopping with more rows an epoch than LibreOffice calculates one by one.

It calculates runs of a hundred and more equal formulas together, in threads, and took what
training, validation and the stop flag want of each other for a circle.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from soffice import Job, edit_in_libreoffice
from support import WITH_COMPARE

import sheetnet
from sheetnet.spec import Spec, parse_spec


def spec(data: dict[str, Any], layers: list[tuple[int, str]], **training: Any) -> Spec:
    last = len(layers) - 1
    return parse_spec(
        {
            "data": data,
            "layers": [
                {"activation": name, **({"units": units} if i < last else {})}
                for i, (units, name) in enumerate(layers)
            ],
            "training": {"patience": 2, **training},
        },
        name="long",
        folder=Path(__file__).parent,
    )


SPECS = {
    "a line": spec(
        {"source": "toy:line", "rows": 300, "validation": 0.4},
        [(3, "tanh"), (1, "linear")],
        epochs=6,
        learning_rate=0.01,
    ),
    "four layers": spec(
        {"source": "toy:moons", "rows": 420, "validation": 0.3},
        [(5, "relu"), (5, "relu"), (2, "tanh"), (1, "sigmoid")],
        epochs=2,
        seed=15,
        learning_rate=0.05,
        optimizer="rmsprop",
        clip_norm=0.5,
    ),
    "many epochs": spec(
        {"source": "toy:line", "rows": 12, "validation": 0.5},
        [(1, "linear")],
        epochs=250,
        learning_rate=0.001,
        patience=200,
    ),
}


@pytest.mark.libreoffice
@pytest.mark.parametrize("name", SPECS)
def test_libreoffice_agrees(name: str, tmp_path: Path) -> None:
    book = tmp_path / "book.xlsx"
    sheetnet.export(SPECS[name], book, sheets=WITH_COMPARE)
    report = sheetnet.verify(book, "libreoffice")
    assert report.agree, report.to_text()
    report = sheetnet.verify(book)
    assert report.agree, report.to_text()
    assert report.checks["trajectory"].identical == report.cells


@pytest.mark.libreoffice
def test_an_edit_in_libreoffice_reaches_everything(tmp_path: Path) -> None:
    """Of a file whose values it takes as they are: no cell that depends on it stays behind."""
    book, edited = tmp_path / "book.xlsx", tmp_path / "edited.xlsx"
    sheetnet.export(SPECS["a line"], book)
    keys = {cell.value: cell.coordinate for cell in openpyxl.load_workbook(book)["Config"]["A"]}
    where = "Config!B" + keys["learning_rate"][1:]
    edit_in_libreoffice([Job(book, edited, {where: 0.03})], tmp_path / "libreoffice")
    report = sheetnet.verify(edited, "saved")
    assert report.agree, report.to_text()


def test_no_run_of_equal_formulas_is_long(tmp_path: Path) -> None:
    """Shared ones are the only runs: each of less than a hundred rows."""
    book = tmp_path / "book.xlsx"
    sheetnet.export(SPECS["a line"], book)
    titles = openpyxl.load_workbook(book, read_only=True).sheetnames
    with zipfile.ZipFile(book) as package:
        for title in ("Train", "Validation", "Compare"):
            part = package.read(f"xl/worksheets/sheet{titles.index(title) + 1}.xml").decode()
            runs = re.findall(r'<f t="shared" ref="[A-Z]+(\d+):[A-Z]+(\d+)"', part)
            assert len(runs) > 10
            assert all(int(last) - int(first) < 99 for first, last in runs)
