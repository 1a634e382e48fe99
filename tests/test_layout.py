"""Where things stand: no region on top of another, no column twice, all of it on the sheet."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter
from support import make_spec

from sheetnet.concepts.activations import ACTIVATIONS
from sheetnet.concepts.losses import LOSSES
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.concepts.scaling import SCALINGS
from sheetnet.concepts.summaries import BY_ERROR, BY_LARGEST, BY_THRESHOLD
from sheetnet.data_layout import DataLayout
from sheetnet.epoch_ledgers import ledgers_of
from sheetnet.layout import (
    EPOCHS_CHART_ROW,
    EPOCHS_HEAD_ROW,
    EPOCHS_NAME_ROW,
    TRAIN_FIRST_ROW,
    InitLayout,
    layout_of,
)
from sheetnet.ledger import PLACE, Ledger, input_of, ledger_of
from sheetnet.limits import MAX_COLUMNS, MAX_ROWS
from sheetnet.network import Layer, Network
from sheetnet.problem import load_problem
from sheetnet.regions import Region, address, letter

drawn = settings(max_examples=60)


def assert_apart(regions: dict[str, Region]) -> None:
    """Cell by cell, not by the product's own ``overlaps``."""
    taken: dict[tuple[str, int, int], str] = {}
    for name, region in regions.items():
        assert region.rows >= 1 and region.columns >= 1, name
        assert region.row >= 1 and region.column >= 1, name
        assert region.last_row <= MAX_ROWS and region.last_column <= MAX_COLUMNS, name
        rows = range(region.row, region.row + region.rows)
        columns = range(region.column, region.column + region.columns)
        for row, column in itertools.product(rows, columns):
            other = taken.setdefault((region.sheet, row, column), name)
            assert other == name, f"{name} and {other} share {address(row, column)}"


def assert_data_makes_sense(layout: DataLayout) -> None:
    """Heads above the rows, the rows of all columns side by side, no column left out."""
    regions = layout.regions
    assert_apart(regions)
    bodies = [region for region in regions.values() if region.row == layout.first_row]
    assert all(region.last_row == layout.last_row for region in bodies)
    heads = [region for region in regions.values() if region not in bodies]
    for head in heads:
        assert head.row > layout.GROUP_ROW and head.last_row < layout.name_row
        assert head.column > 1  # column 1 says what the row is
    assert layout.name_row == layout.first_row - 1
    columns = sorted(c for region in bodies for c in range(region.column, region.last_column + 1))
    assert columns == list(range(1, layout.last_column + 1))


TABLE = "p,q,s,t,kind\n1,2,0.25,0.75,red\n3,5,0.5,0.5,blue\n4,4,1,0,red\n0,1,0.1,0.9,green\n"

NUMBERS = {"inputs": ["p", "q"], "target": ["s", "t"]}
CLASSES = {"inputs": ["p"], "target": "kind"}
TWO = {"inputs": ["p", "q"], "target": "kind", "rows": 3}
ONE_ROW = {"inputs": ["p", "q", "s"], "target": "t", "rows": 1}
DATA: dict[str, tuple[dict[str, Any], str]] = {
    "numbers": (NUMBERS, "linear"),
    "scaled inputs": ({**NUMBERS, "scale": "minmax"}, "linear"),
    "scaled targets": ({**NUMBERS, "target_scale": "standard"}, "linear"),
    "both scaled": ({**NUMBERS, "scale": "standard", "target_scale": "minmax"}, "tanh"),
    "shares": (NUMBERS, "softmax"),
    "classes one-hot": (CLASSES, "softmax"),
    "classes one-hot, scaled": ({**CLASSES, "scale": "standard"}, "softmax"),
    "two classes 0/1": (TWO, "sigmoid"),
    "two classes 0/1, scaled": ({**TWO, "scale": "standard"}, "sigmoid"),
    "two classes one-hot": ({**TWO, "scale": "minmax"}, "softmax"),
    "one row": ({**ONE_ROW, "scale": "standard"}, "linear"),
}
HELD_OUT = ["numbers", "both scaled", "classes one-hot, scaled", "two classes 0/1"]
DATA |= {
    f"{case}, held out": ({**DATA[case][0], "validation": 0.5}, DATA[case][1]) for case in HELD_OUT
}


@pytest.mark.parametrize("case", DATA)
def test_regions_of_a_workbook_are_apart(case: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(TABLE)
    data, last = DATA[case]
    layers = [{"units": 3, "activation": "relu"}, {"units": 2, "activation": "tanh"}]
    spec = make_spec(
        source="table.csv", folder=tmp_path, data=data, layers=[*layers, {"activation": last}]
    )
    problem = load_problem(spec)
    layout = layout_of(problem)
    assert_data_makes_sense(layout.data)
    assert_apart(layout.regions)
    held_out = 2 if "validation" in data else 0
    ledgers = {"train", "epochs", *(("validation", "best") if held_out else ())}
    assert set(layout.regions) == {*layout.data.regions, *layout.init.regions, *ledgers}
    assert ("set" in layout.data.regions) == bool(held_out)
    assert layout.data.rows == problem.rows and layout.data.held_out == held_out
    assert layout.data.last_training_row == layout.data.last_row - held_out
    assert layout.train.row == TRAIN_FIRST_ROW and layout.train.rows == problem.visits
    assert layout.train.columns == len(layout.ledger.labels)
    epochs = layout.epoch_rows
    assert (epochs.row, epochs.rows) == (EPOCHS_NAME_ROW + 1, 3)
    assert epochs.columns == len(layout.ledgers.epochs.labels)
    if layout.validation is not None and layout.best_row is not None:
        assert layout.validation.rows == 3 * held_out
        assert layout.best_row.columns == epochs.columns
        assert EPOCHS_CHART_ROW < layout.best_row.row < EPOCHS_HEAD_ROW < EPOCHS_NAME_ROW


names = st.integers(1, 12).map(lambda n: tuple(f"c{i}" for i in range(n)))
statistics = st.sampled_from(
    [tuple(s.name for s in scaling.statistics) for scaling in SCALINGS.values()]
)


@drawn
@given(
    *(st.integers(1, 40), st.integers(0, 20), names, names),
    *(statistics, statistics, st.booleans(), st.integers(1, 6)),
)
def test_regions_of_any_data_are_apart(
    rows: int,
    held_out: int,
    inputs: tuple[str, ...],
    targets: tuple[str, ...],
    scaled: tuple[str, ...],
    target_scaled: tuple[str, ...],
    coded: bool,
    classes: int,
) -> None:
    """A class target is one column and is not scaled; numbers have one output each."""
    layout = DataLayout(
        rows=rows,
        held_out=held_out,
        input_names=inputs,
        target_names=targets[:1] if coded else targets,
        input_statistics=scaled,
        target_statistics=() if coded else target_scaled,
        outputs=classes if coded else len(targets),
        coded=coded,
    )
    assert_data_makes_sense(layout)
    assert layout.last_row - layout.first_row + 1 == rows + held_out
    # Right behind the row's number stands what it is used for, where there is a difference.
    assert layout.raw_column == (3 if held_out else 2)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Any network that a spec could ask for."""
    inputs = draw(st.integers(1, 12))
    sizes = draw(st.lists(st.integers(1, 12), min_size=1, max_size=4))
    hidden = [a for a in ACTIVATIONS.values() if not a.last_only]
    layers, width = [], inputs
    for index, units in enumerate(sizes, 1):
        any_of = ACTIVATIONS.values() if index == len(sizes) else hidden
        activation = draw(st.sampled_from(list(any_of)))
        dropout = index < len(sizes) and draw(st.booleans())
        layers.append(Layer(index, units, width, activation, draw(st.booleans()), dropout))
        width = units
    fitting = [loss for loss in LOSSES.values() if loss.suits(layers[-1].activation.name)]
    optimizer = draw(st.sampled_from(list(OPTIMIZERS.values())))
    batches, clips, norm = (draw(st.booleans()) for _ in range(3))
    loss = draw(st.sampled_from(fitting))
    validates = draw(st.booleans())
    return Network(
        *(inputs, tuple(layers), loss, optimizer, batches, clips, norm),
        validates=validates,
        stops=validates and draw(st.booleans()),
        measure=draw(st.sampled_from([BY_ERROR, BY_THRESHOLD, BY_LARGEST])),
    )


def all_ledgers(network: Network) -> list[Ledger]:
    """Of the sheets Train, Epochs and, where there is one, Validation."""
    found = ledgers_of(network)
    return [found.train, found.epochs, *([found.validation] if found.validation else [])]


@drawn
@given(networks())
def test_columns_of_any_ledger_stand_side_by_side(network: Network) -> None:
    for ledger in all_ledgers(network):
        after = 0
        for block in ledger.blocks:
            assert block.first == after and block.size >= 1
            assert len(block.labels) == block.size
            after += block.size
        assert ledger.width == after == len(ledger.labels)
        assert len(set(ledger.labels)) == len(ledger.labels)
        assert len({block.name for block in ledger.blocks}) == len(ledger.blocks)
    ledger = ledger_of(network)
    assert ledger.labels[:4] == PLACE == ("visit", "epoch", "update", "sample")
    assert (ledger.labels[4:6] == ("first", "last")) == network.batches
    places = 6 if network.batches else 4
    assert (ledger.labels[places] == "stopped") == network.stops == ("stopped" in ledger)


@drawn
@given(networks())
def test_columns_of_any_epoch_and_validation(network: Network) -> None:
    """What is judged comes before its judgement; the held-out rows know no dropout."""
    ledgers = ledgers_of(network)
    epochs, validation = ledgers.epochs, ledgers.validation
    assert epochs.labels[:2] == ("epoch", "loss")
    assert epochs["grad_norm"].shape == (len(network.layers),)
    judged = ["val_loss", "improved", "best_loss", "best_epoch"]
    judged += ["wait", "stopped"] if network.stops else []
    assert (validation is not None) == network.validates
    for layer in network.layers:
        for name in (f"W{layer.index}", f"b{layer.index}"):
            assert epochs[name].shape == ledgers.train[name].shape
    if validation is None:
        assert not any(name in epochs for name in [*judged, "wait", "stopped"])
        return
    first = [epochs[name].first for name in [*judged, "W1"]]
    assert sorted(first) == first
    for name in ("loss", network.measure.name):
        assert name in epochs and f"val_{name}" in epochs
    assert validation.labels[:2] == ("epoch", "sample")
    assert (validation.labels[2] == "stopped") == network.stops == ("wait" in epochs)
    assert not any(block.base in ("r", "k", "d", "W", "b") for block in validation.blocks)
    assert validation.labels[-1] == "loss"


@drawn
@given(networks())
def test_quantities_of_any_ledger_come_after_what_they_need(network: Network) -> None:
    """Columns in the order in which data flows, and each with the shape of what it is of."""
    ledger = ledger_of(network)

    def first(name: str) -> int:
        return ledger[name].first

    assert first("sample") < first("x") < first("y") < first("W1")
    for layer in network.layers:
        l = layer.index
        shape = (layer.units, layer.inputs)
        assert ledger[f"W{l}"].shape == ledger[f"dW{l}"].shape == ledger[f"uW{l}"].shape == shape
        assert ledger[input_of(network, layer)].shape == (layer.inputs,)
        flow = [input_of(network, layer), f"z{l}", f"a{l}", "loss", f"delta{l}", f"dW{l}", f"uW{l}"]
        assert sorted(flow, key=first) == flow
        assert first(f"W{l}") < first(f"b{l}") < first(f"z{l}")
        assert (f"db{l}" in ledger) == (f"ub{l}" in ledger) == layer.train_bias
        if l > 1:
            assert first(f"delta{l}") < first(f"delta{l - 1}")
    assert ledger["y"].shape == (network.outputs,)


@drawn
@given(networks(), st.integers(1, 4))
def test_views_cover_the_matrix_once(network: Network, rows: int) -> None:
    for ledger in all_ledgers(network):
        matrix = np.zeros((rows, ledger.width))
        for view in ledger.views(matrix).values():
            np.add(view, 1, out=view)  # in place: a copy would leave the matrix at 0
        assert (matrix == 1).all()


@drawn
@given(networks())
def test_regions_of_any_init_are_apart(network: Network) -> None:
    layout = InitLayout(network.layers)
    assert_apart(layout.regions)
    for layer in network.layers:
        weights, bias = layout.weights(layer), layout.bias(layer)
        assert (weights.rows, weights.columns) == (layer.units, layer.inputs)
        assert (bias.row, bias.rows, bias.columns) == (weights.row, layer.units, 1)
        assert bias.column == weights.last_column + 1
        assert layout.title_rows[layer.index - 1] == weights.row - 2
    # Title and header of a block stand below the block before it.
    for earlier, later in itertools.pairwise(network.layers):
        assert layout.weights(earlier).last_row < layout.title_rows[later.index - 1]


def test_letters_of_all_columns() -> None:
    assert [letter(n) for n in (1, 26, 27, 702, 703, MAX_COLUMNS)] == [
        *("A", "Z", "AA", "ZZ", "AAA", "XFD")
    ]
    assert all(letter(n) == get_column_letter(n) for n in range(1, MAX_COLUMNS + 1))
    assert address(12, 28) == "AB12"
