"""Notes on column heads say what stands there; colours follow the numbers."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from openpyxl import load_workbook
from support import WITHOUT_VIEWS, make_spec, shortened

import sheetnet
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.epoch_ledgers import ledgers_of
from sheetnet.layout import EPOCHS_NAME_ROW, LAYERS_HEADER, TRAIN_NAME_ROW, layout_of
from sheetnet.problem import load_problem
from sheetnet.spec import Spec, load_spec
from sheetnet.workbook.heat import HIGH, LOW, MIDDLE
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
    # With one output there is no mean over the outputs.
    assert "= −(y ln ŷ + (1−y) ln(1−ŷ)), written as" in notes["loss"]
    assert "mean loss" in notes["Epochs loss"]
    assert "= b₁[2] + Σᵢ W₁[2,i]·x[i]" in notes["z1[2]"]
    assert "= (Σₖ δ₂[k]·W₂[k,1])·k₁[1] · f′(z₁[1]), f′ = 1 − a²" in notes["delta1[1]"]
    assert "= δ₂[1]·d₁[3]" in notes["dW2[1,3]"]
    assert network.optimizer.maths in notes["uW1[1,1]"]
    for slot in network.optimizer.slots:
        assert slot.maths in notes[f"{slot.name}W1[1,1]"]
    assert "validation loss" in notes["Epochs improved"]


def test_means_over_several_outputs_are_told() -> None:
    problem = load_problem(load_spec(EXAMPLES[0].parent / "mazur.toml"))
    ledger = ledgers_of(problem.network).train
    assert "mean of (y − ŷ)² over the outputs" in note(problem, ledger["loss"], ())
    assert "= 2(ŷ − y) / 2 · f′(z₂[1])" in note(problem, ledger["delta2"], (1,))


@pytest.mark.parametrize("name", ["iris", "diabetes", "overfitting_early_stopping", "mazur"])
def test_heads_of_inputs_have_notes(name: str, tmp_path: Path) -> None:
    """On Data each column's name, on Init each matrix, on Config each heading and each layer."""
    spec = shortened(EXAMPLES[0].parent / f"{name}.toml", 8_000)
    sheetnet.export(spec, tmp_path / "b.xlsx")
    book, problem = load_workbook(tmp_path / "b.xlsx"), load_problem(spec)
    layout = layout_of(problem)
    for column in range(layout.data.raw_column, layout.data.last_column + 1):
        assert book["Data"].cell(layout.data.name_row, column).comment, column
    for layer in problem.network.layers:
        corner = layout.init.weights(layer)
        told = book["Init"].cell(corner.row - 1, 1).comment
        given = spec.layers[layer.index - 1].weights is not None
        assert told and ("Given" in told.text) == given
        assert book["Init"].cell(corner.row - 1, layout.init.bias(layer).column).comment
    config = book["Config"]
    noted = {str(cell.value) for row in config.iter_rows() for cell in row if cell.comment}
    assert {"You may change", "Fixed at export", *LAYERS_HEADER} <= noted
    assert {layer.activation.name for layer in problem.network.layers} <= noted


def test_colours_follow_signed_columns_and_the_loss(tmp_path: Path) -> None:
    sheetnet.export(make_spec(), tmp_path / "b.xlsx", sheets=WITHOUT_VIEWS)
    sheet = load_workbook(tmp_path / "b.xlsx")["Train"]
    heads = {str(cell.value): cell.column_letter for cell in sheet[TRAIN_NAME_ROW]}
    rules = {
        str(rule.sqref): [each.type for each in rule.rules] for rule in sheet.conditional_formatting
    }
    last = sheet.max_row

    def over(first: str, end: str) -> str:
        top, bottom = f"{heads[first]}{TRAIN_NAME_ROW + 1}", f"{heads[end]}{last}"
        return top if top == bottom else f"{top}:{bottom}"

    parameters = [over("W1[1,1]", "b1[3]"), over("W2[1,1]", "b2[1]")]
    gradients = [over("dW2[1,1]", "db2[1]"), over("dW1[1,1]", "db1[3]")]
    assert rules[" ".join(parameters)] == ["colorScale", "expression"]  # of huge numbers
    assert rules[" ".join(gradients)] == ["colorScale", *["expression"] * 3]
    assert rules[over("loss", "loss")] == ["dataBar", *["expression"] * 3]
    assert over("x[1]", "x[2]") not in rules


def test_white_stands_in_the_middle(tmp_path: Path) -> None:
    """The ends of a scale are as far from 0 as its largest number, wherever that stands."""
    sheetnet.export(make_spec(), tmp_path / "b.xlsx", sheets=WITHOUT_VIEWS)
    sheet = load_workbook(tmp_path / "b.xlsx")["Train"]
    scales = [
        (str(where.sqref), rule.colorScale)
        for where in sheet.conditional_formatting
        for rule in where.rules
        if rule.type == "colorScale"
    ]
    assert len(scales) == 4
    for where, scale in scales:
        low, middle, high = scale.cfvo
        assert (middle.type, float(middle.val)) == ("num", 0)
        assert low.type == high.type == "formula" and low.val == f"-{high.val}"
        named = re.findall(r"\$[A-Z]+\$\d+(?::\$[A-Z]+\$\d+)?", high.val)
        areas = where.split()
        assert [name.replace("$", "") for name in named] == areas * 2
        assert [each.rgb for each in scale.color] == [LOW, MIDDLE, HIGH]


def test_parts_of_sheets_are_named_relatively(tmp_path: Path) -> None:
    """IronCalc finds comments under no other names."""
    sheetnet.export(make_spec(), tmp_path / "b.xlsx")
    with zipfile.ZipFile(tmp_path / "b.xlsx") as package:
        names = [n for n in package.namelist() if n.startswith("xl/worksheets/_rels/")]
        assert names
        for name in names:
            assert b'Target="/' not in package.read(name)
