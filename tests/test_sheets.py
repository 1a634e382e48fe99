"""Which sheets are written: those asked for, and what the training depends on."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from support import make_spec, run

import sheetnet
from sheetnet.spec import Spec

NEEDED = ["Config", "Data", "Init", "Train"]

PLAIN = make_spec(epochs=2)
HELD_OUT = make_spec(source="toy:moons", data={"rows": 12, "validation": 0.25}, epochs=2)
STOPS = make_spec(source="toy:moons", data={"rows": 12, "validation": 0.25}, epochs=3, patience=1)


@pytest.mark.parametrize(
    ("spec", "wanted", "more"),
    [
        (PLAIN, [], []),
        (PLAIN, ["guide"], ["Guide"]),
        (PLAIN, ["Compare", "Step"], ["Step", "Compare"]),
        (PLAIN, ["Validation", "Predict"], ["Epochs", "Predict"]),
        (PLAIN, None, ["Guide", "Epochs", "Step", "Predict", "Compare"]),
        (HELD_OUT, [], []),
        (HELD_OUT, [" epochs "], ["Validation", "Epochs"]),
        (HELD_OUT, ["Validation"], ["Validation", "Epochs"]),
        (STOPS, ["Config"], ["Validation", "Epochs"]),
        (STOPS, None, ["Guide", "Validation", "Epochs", "Step", "Predict", "Compare"]),
    ],
)
def test_sheets(spec: Spec, wanted: list[str] | None, more: list[str], tmp_path: Path) -> None:
    """They are there in order, verify agrees, and no link leads to a sheet that is not."""
    path = sheetnet.export(spec, tmp_path / "book.xlsx", sheets=wanted).path
    book = openpyxl.load_workbook(path)
    front = [title for title in more if title == "Guide"]
    assert book.sheetnames == [*front, *NEEDED, *(t for t in more if t not in front)]
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.hyperlink is not None:
                    target = str(cell.hyperlink.location).partition("!")[0]
                    known = {*book.sheetnames, *book.defined_names}
                    assert target in known, f"{sheet.title}!{cell.coordinate} leads to {target}"
    report = sheetnet.verify(path)
    assert report.agree, report.to_text()


def test_the_command_takes_them(tmp_path: Path) -> None:
    spec, book = tmp_path / "a.toml", tmp_path / "a.xlsx"
    run("new", spec)
    done = run("export", spec, "-o", book, "--sheets", "Step, epochs", "--epochs", 1)
    assert done.exit_code == 0, done.output
    assert "Step" in openpyxl.load_workbook(book, read_only=True).sheetnames
    wrong = run("export", spec, "-o", book, "--force", "--sheets", "Stpe")
    assert wrong.exit_code == 2
    assert "there is no sheet 'Stpe' (did you mean 'Step'?); allowed: Guide, " in wrong.stderr


def test_a_sheet_that_has_gone_is_missed(tmp_path: Path) -> None:
    path = sheetnet.export(PLAIN, tmp_path / "book.xlsx").path
    book = openpyxl.load_workbook(path)
    del book["Predict"]
    book.save(tmp_path / "less.xlsx")
    found = run("verify", tmp_path / "less.xlsx")
    assert found.exit_code == 2 and "no sheet 'Predict'" in found.stderr
