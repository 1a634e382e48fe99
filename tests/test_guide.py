"""The guide: it stands in front, its links lead somewhere, it speaks of this very network."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from support import make_spec

import sheetnet
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.epoch_ledgers import ledgers_of
from sheetnet.ledger import ledger_of
from sheetnet.problem import load_problem
from sheetnet.regions import SHEETS
from sheetnet.spec import Spec, load_spec
from sheetnet.workbook.drawing import MAX_UNITS, stacks
from sheetnet.workbook.experiments import COUNT, experiments
from sheetnet.workbook.notes import explanation

EXAMPLES_FOLDER = Path(__file__).parent.parent / "examples"
EXAMPLES = sorted(EXAMPLES_FOLDER.glob("*.toml"))


def exported(spec: Spec, folder: Path, sheets: list[str] | None = None) -> Workbook:
    sheetnet.export(spec, folder / "b.xlsx", sheets=sheets)
    return load_workbook(folder / "b.xlsx")


def texts(sheet: Worksheet) -> list[str]:
    return [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]


def test_it_stands_in_front(tmp_path: Path) -> None:
    book = exported(make_spec(), tmp_path)
    sheets = ["Guide", "Config", "Data", "Init", "Train", "Epochs"]
    assert book.sheetnames == [*sheets, "Step", "Predict", "Compare"]


@pytest.mark.parametrize("name", ["xor", "overfitting_early_stopping", "adam", "iris"])
def test_links_lead_to_cells(name: str, tmp_path: Path) -> None:
    """To sheets that are there, to named cells, to columns by the head of the first of them."""
    spec = load_spec(Path(__file__).parent.parent / "examples" / f"{name}.toml")
    book = exported(spec, tmp_path)
    linked = [cell for row in book["Guide"].iter_rows() for cell in row if cell.hyperlink]
    links = {str(cell.value): str(cell.hyperlink.location) for cell in linked}
    locations = [str(cell.hyperlink.location) for cell in linked]
    for title in book.sheetnames[1:]:
        assert links[title] == f"{title}!A1"
    problem = load_problem(spec)
    for h in problem.hyperparameters:
        assert links[h] == book.defined_names[h].attr_text.replace("$", "")
    for block in ledger_of(problem.network).blocks:
        if block.kind not in ("place", "flag"):
            head = book["Train"].cell(4, block.first + 1)
            assert f"Train!{head.coordinate}" in locations, block.name
            assert head.value == block.labels[0]
    heads = []
    for location in locations:
        title, _, cell = location.partition("!")
        assert book[title][cell].value is not None, location
        heads.append((title, str(book[title][cell].value)))
    for block in ledgers_of(problem.network).epochs.blocks:
        told = block.kind not in ("place", "weight", "bias")
        assert (("Epochs", block.labels[0]) in heads) == told, block.name


def test_every_sheet_leads_back(tmp_path: Path) -> None:
    book = exported(load_spec(EXAMPLES_FOLDER / "overfitting_early_stopping.toml"), tmp_path)
    for title in book.sheetnames[1:]:
        back = [
            cell.hyperlink.location
            for row in book[title].iter_rows(max_row=7)
            for cell in row
            if cell.hyperlink is not None and cell.value == "← Guide"
        ]
        assert back == ["Guide!A1"], title


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_formula_is_written_out(path: Path) -> None:
    """Each computed column of Train has words or a formula of its own; no name is left open."""
    problem = load_problem(load_spec(path))
    for block in ledger_of(problem.network).blocks:
        told = explanation(problem, block, ("j", "i")[: len(block.shape)])
        assert told.maths or block.kind in ("place", "flag"), block.name
        assert "outputs" not in told.maths or problem.network.outputs > 1
        assert "None" not in told.maths + told.words


def test_the_drawing_counts_parameters() -> None:
    problem = load_problem(make_spec())
    inputs, hidden, output = stacks(problem)
    assert (inputs.title, len(inputs.units)) == ("2 inputs", 2)
    assert (hidden.title, hidden.below) == ("layer 1: 3 × tanh", "6 weights, 3 biases")
    assert (output.title, output.below) == ("layer 2: 1 × sigmoid", "3 weights, 1 bias")


def test_a_wide_and_deep_network_is_cut_short(tmp_path: Path) -> None:
    layers = [{"units": 20, "activation": "relu"}] * 8 + [{"units": 1, "activation": "sigmoid"}]
    book = exported(make_spec(layers=layers, epochs=1), tmp_path, ["Guide"])
    found = texts(book["Guide"])
    assert f"… {20 - MAX_UNITS + 1} more" in found and "…" in found
    assert "layer 9: 1 × sigmoid" in found and "layer 5: 20 × relu" not in found


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_three_experiments(path: Path) -> None:
    """Each names something that this workbook has."""
    problem = load_problem(load_spec(path))
    found = experiments(problem, SHEETS)
    assert len(set(found)) == COUNT
    rate = problem.hyperparameters["learning_rate"]
    assert (
        f"learning_rate on Config to {10 * rate:g}" in found[0] and f"to {rate / 10:g}" in found[0]
    )
    layers = problem.network.layers
    told = " ".join(found)
    assert "unit 1 in layer 1" not in told or (
        len(layers) > 1 and layers[0].activation.name in ("relu", "sigmoid")
    )
    assert "units 1 and 2" not in told or layers[0].units > 1
    assert "shaded" not in told or problem.held_out
    if len(layers) > 3:
        assert f"layer {len(layers)} and layer 1" in told
    for word in ("patience", "clip ", "clip_norm", "dropout_", "momentum", "beta1", "rho"):
        if any(f"Set {word}" in text for text in found):
            assert any(name.startswith(word.strip()) for name in problem.hyperparameters)
    alone = experiments(problem, ("Train",))
    assert len(set(alone)) == COUNT and "Epochs" not in " ".join(alone)


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_formulas_are_this_optimizers(optimizer: str, tmp_path: Path) -> None:
    book = exported(make_spec(optimizer=optimizer, epochs=1), tmp_path)
    found = " ".join(texts(book["Guide"]))
    assert OPTIMIZERS[optimizer].maths in found
    for slot in OPTIMIZERS[optimizer].slots:
        assert slot.maths in found


def test_names_of_columns_stay_text(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("=1+1,y\n1,=2+2\n2,b\n3,b\n", encoding="utf-8")
    layers = [{"units": 1, "activation": "sigmoid"}]
    spec = make_spec(source="d.csv", data={"target": "y"}, layers=layers, folder=tmp_path)
    cells = [cell for row in exported(spec, tmp_path)["Guide"].iter_rows() for cell in row]
    assert any(cell.value == "=1+1" for cell in cells)
    assert all(cell.data_type != "f" for cell in cells)
