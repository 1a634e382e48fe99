"""Dropout: masks of a batch, their scale and share, gradients through them, rate 0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ironcalc
import numpy as np
import openpyxl
import pytest
from faults import change
from openpyxl.workbook import Workbook
from support import WITHOUT_VIEWS, make_spec

import sheetnet
from sheetnet.concepts.arithmetic import Array
from sheetnet.problem import load_problem
from sheetnet.recalc.ironcalc_engine import readable
from sheetnet.run import Run
from sheetnet.spec import Spec

NAMES = ("W1", "b1", "W2", "b2", "W3", "b3")
RATES = {1: 0.4, 2: 0.25}


def dropping(rates: dict[int, float] = RATES, **options: Any) -> Spec:
    """XOR on 2-4-3-1 with dropout after both hidden layers."""
    layers: list[dict[str, Any]] = [
        {"units": 4, "activation": "tanh", "bias": [0.1, -0.2, 0.3, 0.2]},
        {"units": 3, "activation": "sigmoid"},
        {"activation": "sigmoid"},
    ]
    for index, rate in rates.items():
        layers[index - 1]["dropout"] = rate
    return make_spec(layers=layers, **{"epochs": 6, "seed": 5, **options})


@pytest.mark.parametrize("size", [1, 3, 4])
def test_masks_are_of_a_batch(size: int) -> None:
    """The same for all samples of a batch, drawn anew for the next."""
    run = sheetnet.train(dropping(batch_size=size, shuffle=True))
    for layer in RATES:
        drawn = []
        for update in range(1, int(run["update"][-1]) + 1):
            mine = run[f"r{layer}"][run["update"] == update]
            masks = run[f"k{layer}"][run["update"] == update]
            assert (mine == mine[0]).all() and (masks == masks[0]).all()
            drawn.append(tuple(mine[0].tolist()))
        assert len(set(drawn)) == len(drawn)


def test_layers_and_seeds_have_draws_of_their_own() -> None:
    run, other = sheetnet.train(dropping()), sheetnet.train(dropping(seed=6))
    assert not np.intersect1d(run["r1"], run["r2"]).size
    assert not np.intersect1d(run["r1"], other["r1"]).size
    longer = sheetnet.train(dropping(epochs=8))  # more epochs change none of the draws
    assert np.array_equal(longer["r1"][: len(run.matrix)], run["r1"])


def test_kept_outputs_are_scaled_up() -> None:
    run = sheetnet.train(dropping())
    for layer, rate in RATES.items():
        drawn, mask = run[f"r{layer}"], run[f"k{layer}"]
        assert np.array_equal(mask, np.where(drawn < rate, 0, 1 / (1 - rate)))
        assert np.array_equal(run[f"d{layer}"], run[f"a{layer}"] * mask)
        assert {0.0, 1 / (1 - rate)} == set(mask.ravel().tolist())
    z2 = np.einsum("vji,vi->vj", run["W2"], run["d1"]) + run["b2"]
    assert run["z2"] == pytest.approx(z2, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_share_dropped_and_mean_kept(rate: float) -> None:
    layers = [{"units": 10, "activation": "linear", "dropout": rate}, {"activation": "sigmoid"}]
    run = sheetnet.train(make_spec(layers=layers, epochs=1000))
    masks = run["k1"]
    assert masks.size == 40_000  # a deviation of at most 0.0025 in the share
    assert (masks == 0).mean() == pytest.approx(rate, abs=0.0125)
    assert masks.mean() == pytest.approx(1, abs=0.0125 / (1 - rate))
    assert (masks == 0).mean(axis=0) == pytest.approx(rate, abs=0.04)  # of every unit


def loss_of(run: Run, parameters: dict[str, Array], visit: int) -> float:
    """Binary entropy with the masks of the visit held as they are."""
    a = run["x"][visit]
    for index in (1, 2, 3):
        z = parameters[f"W{index}"] @ a + parameters[f"b{index}"]
        a = np.tanh(z) if index == 1 else 1 / (1 + np.exp(-z))
        if index in RATES:
            a = a * run[f"k{index}"][visit]
    y = run["y"][visit]
    return float(np.mean(-y * np.log(a) - (1 - y) * np.log(1 - a)))


@pytest.mark.parametrize("options", [{}, {"batch_size": 3, "optimizer": "adam"}])
def test_gradients_with_masks_are_finite_differences(options: dict[str, Any]) -> None:
    run = sheetnet.train(dropping(**options))
    h, dropped = 1e-6, 0
    for visit in range(0, 24, 3):
        held = {name: run[name][visit].copy() for name in NAMES}
        assert run["loss"][visit] == pytest.approx(loss_of(run, held, visit), rel=1e-12)
        dropped += int((run["k1"][visit] == 0).sum())
        for name in NAMES:
            for index in np.ndindex(held[name].shape):
                sides = []
                for step in (h, -h):
                    moved = {**held, name: held[name].copy()}
                    moved[name][index] += step
                    sides.append(loss_of(run, moved, visit))
                slope = (sides[0] - sides[1]) / (2 * h)
                found = run[f"d{name}"][visit][index]
                assert found == pytest.approx(slope, rel=1e-6, abs=1e-8), f"d{name}{index}"
    assert dropped


def test_dropped_units_have_no_gradient() -> None:
    run = sheetnet.train(dropping())
    off = run["k1"] == 0
    assert off.any() and not off.all()
    assert not run["delta1"][off].any()
    assert not run["dW1"][off].any()
    assert not run["dW2"].transpose(0, 2, 1)[off].any()


# --- in the workbook


def config_row(book: Workbook, key: str) -> int:
    return next(cell.row for cell in book["Config"]["A"] if cell.value == key)


def test_uniforms_are_constants_and_masks_are_formulas(tmp_path: Path) -> None:
    spec = dropping(batch_size=2)
    sheetnet.export(spec, tmp_path / "book.xlsx", sheets=WITHOUT_VIEWS)
    run = sheetnet.train(spec)
    sheet = openpyxl.load_workbook(tmp_path / "book.xlsx")["Train"]
    column = {sheet.cell(4, c).value: c for c in range(1, sheet.max_column + 1)}
    for visit in range(len(run.matrix)):
        for layer in RATES:
            for unit, drawn in enumerate(run[f"r{layer}"][visit].tolist(), 1):
                cell = sheet.cell(5 + visit, column[f"r{layer}[{unit}]"])
                assert cell.data_type == "n" and cell.value == drawn
                assert 0 <= drawn <= 1 and round(drawn, 6) == drawn
                mask = sheet.cell(5 + visit, column[f"k{layer}[{unit}]"]).value
                assert str(mask).startswith("=IF(") and f"dropout_{layer}" in str(mask)


@pytest.mark.parametrize("options", [{}, {"batch_size": 3, "optimizer": "momentum"}])
def test_rate_0_in_the_workbook_is_no_dropout(tmp_path: Path, options: dict[str, Any]) -> None:
    """As a student does it: the cells of Config are set to 0, and all recalculates."""
    sheetnet.export(dropping(**options), tmp_path / "book.xlsx", sheets=WITHOUT_VIEWS)

    def off(book: Workbook) -> None:
        for layer in RATES:
            book["Config"].cell(config_row(book, f"dropout_{layer}"), 2).value = 0

    path = change(tmp_path / "book.xlsx", tmp_path / "off.xlsx", off)
    report = sheetnet.verify(path)
    assert report.agree, report.to_text()
    assert report.checks["trajectory"].identical == report.cells
    plain, without = sheetnet.train(dropping({}, **options)), recalculated(path)
    for name in (*NAMES, "loss", "uW1", "db3"):
        for label in plain.ledger[name].labels:
            wanted = plain.matrix[:, plain.ledger.labels.index(label)]
            assert np.array_equal(without[label], wanted), label


def recalculated(path: Path) -> dict[str, Array]:
    """The columns of Train as IronCalc calculates them, by name."""
    with readable(path) as copy:
        model = ironcalc.load_from_xlsx(str(copy), "en", "UTC")
    model.evaluate()
    book = openpyxl.load_workbook(path)
    sheet, index = book["Train"], book.sheetnames.index("Train")
    rows = range(5, sheet.max_row + 1)
    return {
        str(sheet.cell(4, c).value): np.array([model.get_cell_value(index, r, c) for r in rows])
        for c in range(1, sheet.max_column + 1)
    }


def test_a_rate_of_0_in_the_spec_has_no_columns() -> None:
    ledger = load_problem(dropping({1: 0.0})).network
    assert not any(layer.dropout for layer in ledger.layers)
