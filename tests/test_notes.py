"""Notes on column heads say what stands there; colours follow the numbers."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from openpyxl import load_workbook
from support import make_spec

import sheetnet
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.epoch_ledgers import ledgers_of
from sheetnet.layout import EPOCHS_NAME_ROW, TRAIN_NAME_ROW
from sheetnet.problem import load_problem
from sheetnet.spec import Spec, load_spec
from sheetnet.workbook.notes import note

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.toml"))

EVERYTHING = {
    "data": {"validation": 0.5},
    "layers": [
        {"units": 3, "activation": "tanh", "dropout": 0.2},
        {"units": 1, "activation": "sigmoid"},
    ],
    "batch_size": 2,
    "clip": 0.5,
    "clip_norm": 1.0,
    "patience": 2,
}
SPECS = [load_spec(path) for path in EXAMPLES]
SPECS += [make_spec(name=name, optimizer=name, **EVERYTHING) for name in OPTIMIZERS]  # type: ignore[arg-type]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_column_has_a_note(spec: Spec) -> None:
    problem = load_problem(spec)
    ledgers = ledgers_of(problem.network)
    for ledger in (ledgers.train, ledgers.epochs, ledgers.validation):
        for block in ledger.blocks if ledger else ():
            for index, label in zip(block.indices, block.labels, strict=True):
                assert note(problem, block, index), label


def test_notes_tell_the_formula(tmp_path: Path) -> None:
    """They stand in the file, on the row of plain names, with the record's own notation."""
    spec = make_spec(optimizer="adam", **EVERYTHING)  # type: ignore[arg-type]
    sheetnet.export(spec, tmp_path / "b.xlsx")
    book = load_workbook(tmp_path / "b.xlsx")
    notes = {
        str(cell.value) if title == "Train" else f"{title} {cell.value}": cell.comment.text
        for title, row in (("Train", TRAIN_NAME_ROW), ("Epochs", EPOCHS_NAME_ROW))
        for cell in book[title][row]
        if cell.comment is not None
    }
    network = load_problem(spec).network
    assert network.loss.maths in notes["loss"] and "mean loss" in notes["Epochs loss"]
    assert "W1[2,i]·x[i]" in notes["z1[2]"]
    assert "δ2[j]·W2[j,i]" in notes["delta1[1]"] and "k1" in notes["delta1[1]"]
    assert network.optimizer.maths in notes["uW1[1,1]"]
    for slot in network.optimizer.slots:
        assert slot.maths in notes[f"{slot.name}W1[1,1]"]
    assert "validation loss" in notes["Epochs improved"]


def test_colours_follow_signed_columns_and_the_loss(tmp_path: Path) -> None:
    sheetnet.export(make_spec(), tmp_path / "b.xlsx")
    sheet = load_workbook(tmp_path / "b.xlsx")["Train"]
    heads = {str(cell.value): cell.column_letter for cell in sheet[TRAIN_NAME_ROW]}
    rules = {
        str(rule.sqref): [each.type for each in rule.rules] for rule in sheet.conditional_formatting
    }
    last = sheet.max_row

    def over(first: str, end: str) -> str:
        top, bottom = f"{heads[first]}{TRAIN_NAME_ROW + 1}", f"{heads[end]}{last}"
        return top if top == bottom else f"{top}:{bottom}"

    assert rules[over("W1[1,1]", "W1[3,2]")] == ["colorScale"]
    assert rules[over("dW2[1,1]", "dW2[1,3]")] == ["colorScale"]
    assert rules[over("loss", "loss")] == ["dataBar"]
    assert over("x[1]", "x[2]") not in rules


def test_parts_of_sheets_are_named_relatively(tmp_path: Path) -> None:
    """IronCalc finds comments under no other names."""
    sheetnet.export(make_spec(), tmp_path / "b.xlsx")
    with zipfile.ZipFile(tmp_path / "b.xlsx") as package:
        names = [n for n in package.namelist() if n.startswith("xl/worksheets/_rels/")]
        assert names
        for name in names:
            assert b'Target="/' not in package.read(name)
