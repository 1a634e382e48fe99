"""Each optimizer against its paper's update, three steps written out by hand on a scalar."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from support import WITHOUT_VIEWS, make_spec

import sheetnet
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.run import Run

ROWS = ((1.0, 2.0), (-0.5, 1.0), (2.0, -1.0))
START, RATE = 0.3, 0.1


@pytest.fixture
def scalar(tmp_path: Path) -> Path:
    """Three samples for one weight w: the loss is (w x − y)², its slope 2 (w x − y) x."""
    lines = [f"{x},{y}" for x, y in ROWS]
    (tmp_path / "d.csv").write_text("\n".join(["x,y", *lines]))
    return tmp_path


def trained(folder: Path, optimizer: str, epochs: int = 1, **numbers: Any) -> Run:
    layers = [{"activation": "linear", "weights": [[START]], "train_bias": False}]
    options: dict[str, Any] = {"learning_rate": RATE, "epochs": epochs, **numbers}
    data = {"target": "y"}
    return sheetnet.train(
        make_spec(
            source="d.csv", folder=folder, data=data, layers=layers, optimizer=optimizer, **options
        )
    )


def slope(w: float, step: int) -> float:
    """∂L/∂w of the sample of a step (from 0)."""
    x, y = ROWS[step]
    return 2 * (w * x - y) * x


def weights(run: Run) -> list[float]:
    """The weight before each visit, and after the last."""
    return [*run["W1"].ravel().tolist(), float(run.final["W1"].item())]


def assert_weights(run: Run, *wanted: float) -> None:
    assert weights(run) == pytest.approx([START, *wanted], rel=1e-13, abs=0)


def test_sgd_by_hand(scalar: Path) -> None:
    w1 = START - 0.1 * slope(START, 0)
    w2 = w1 - 0.1 * slope(w1, 1)
    w3 = w2 - 0.1 * slope(w2, 2)
    assert_weights(trained(scalar, "sgd"), w1, w2, w3)


def test_momentum_by_hand(scalar: Path) -> None:
    """PyTorch's: v ← μ v + g, w ← w − α v; the rate is outside of the velocity."""
    v1 = slope(START, 0)
    w1 = START - 0.1 * v1
    v2 = 0.8 * v1 + slope(w1, 1)
    w2 = w1 - 0.1 * v2
    v3 = 0.8 * v2 + slope(w2, 2)
    w3 = w2 - 0.1 * v3
    run = trained(scalar, "momentum", momentum=0.8)
    assert_weights(run, w1, w2, w3)
    assert run["vW1"].ravel() == pytest.approx([v1, v2, v3], rel=1e-13)


def test_nesterov_by_hand(scalar: Path) -> None:
    """PyTorch's: w ← w − α (g + μ v), v being the new velocity."""
    g1 = slope(START, 0)
    v1 = g1
    w1 = START - 0.1 * (g1 + 0.8 * v1)
    g2 = slope(w1, 1)
    v2 = 0.8 * v1 + g2
    w2 = w1 - 0.1 * (g2 + 0.8 * v2)
    g3 = slope(w2, 2)
    v3 = 0.8 * v2 + g3
    w3 = w2 - 0.1 * (g3 + 0.8 * v3)
    run = trained(scalar, "nesterov", momentum=0.8)
    assert_weights(run, w1, w2, w3)
    assert run["vW1"].ravel() == pytest.approx([v1, v2, v3], rel=1e-13)


EPSILON = 0.25
"""So large that it matters whether it stands in the root or outside of it."""


def test_adagrad_by_hand(scalar: Path) -> None:
    g1 = slope(START, 0)
    v1 = g1**2
    w1 = START - 0.1 * g1 / (math.sqrt(v1) + EPSILON)
    g2 = slope(w1, 1)
    v2 = v1 + g2**2
    w2 = w1 - 0.1 * g2 / (math.sqrt(v2) + EPSILON)
    g3 = slope(w2, 2)
    v3 = v2 + g3**2
    w3 = w2 - 0.1 * g3 / (math.sqrt(v3) + EPSILON)
    run = trained(scalar, "adagrad", epsilon=EPSILON)
    assert_weights(run, w1, w2, w3)
    assert run["vW1"].ravel() == pytest.approx([v1, v2, v3], rel=1e-13)


def test_rmsprop_by_hand(scalar: Path) -> None:
    g1 = slope(START, 0)
    v1 = 0.3 * g1**2
    w1 = START - 0.1 * g1 / (math.sqrt(v1) + EPSILON)
    g2 = slope(w1, 1)
    v2 = 0.7 * v1 + 0.3 * g2**2
    w2 = w1 - 0.1 * g2 / (math.sqrt(v2) + EPSILON)
    g3 = slope(w2, 2)
    v3 = 0.7 * v2 + 0.3 * g3**2
    w3 = w2 - 0.1 * g3 / (math.sqrt(v3) + EPSILON)
    run = trained(scalar, "rmsprop", rho=0.7, epsilon=EPSILON)
    assert_weights(run, w1, w2, w3)
    assert run["vW1"].ravel() == pytest.approx([v1, v2, v3], rel=1e-13)


def test_adam_by_hand(scalar: Path) -> None:
    """Kingma and Ba, algorithm 1, with β₁ = 0.6, β₂ = 0.8; m̂ and v̂ have columns too."""
    g1 = slope(START, 0)
    m1, v1 = 0.4 * g1, 0.2 * g1**2
    mhat1, vhat1 = m1 / 0.4, v1 / 0.2
    w1 = START - 0.1 * mhat1 / (math.sqrt(vhat1) + EPSILON)
    g2 = slope(w1, 1)
    m2, v2 = 0.6 * m1 + 0.4 * g2, 0.8 * v1 + 0.2 * g2**2
    mhat2, vhat2 = m2 / (1 - 0.36), v2 / (1 - 0.64)
    w2 = w1 - 0.1 * mhat2 / (math.sqrt(vhat2) + EPSILON)
    g3 = slope(w2, 2)
    m3, v3 = 0.6 * m2 + 0.4 * g3, 0.8 * v2 + 0.2 * g3**2
    mhat3, vhat3 = m3 / (1 - 0.216), v3 / (1 - 0.512)
    w3 = w2 - 0.1 * mhat3 / (math.sqrt(vhat3) + EPSILON)
    run = trained(scalar, "adam", beta1=0.6, beta2=0.8, epsilon=EPSILON)
    assert_weights(run, w1, w2, w3)
    wanted = {
        "mW1": [m1, m2, m3],
        "vW1": [v1, v2, v3],
        "mhatW1": [mhat1, mhat2, mhat3],
        "vhatW1": [vhat1, vhat2, vhat3],
    }
    for name, values in wanted.items():
        assert run[name].ravel() == pytest.approx(values, rel=1e-12), name


def test_adam_begins_with_steps_of_the_learning_rate(scalar: Path) -> None:
    """That is what the bias correction is for: the first step is α in size."""
    run = trained(scalar, "adam")
    assert abs(run["uW1"][0].item()) == pytest.approx(RATE, rel=1e-8)


@pytest.mark.parametrize("name", ["momentum", "nesterov"])
def test_without_momentum_it_is_sgd(scalar: Path, name: str) -> None:
    assert weights(trained(scalar, name, 4, momentum=0.0)) == weights(trained(scalar, "sgd", 4))


COLUMNS = {
    "sgd": [],
    "momentum": ["vW1[1,1]"],
    "nesterov": ["vW1[1,1]"],
    "adagrad": ["vW1[1,1]"],
    "rmsprop": ["vW1[1,1]"],
    "adam": ["mW1[1,1]", "vW1[1,1]", "mhatW1[1,1]", "vhatW1[1,1]"],
}


def test_every_optimizer_is_tested_here() -> None:
    assert set(COLUMNS) == set(OPTIMIZERS)


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_of_an_optimizer(scalar: Path, name: str) -> None:
    labels = list(trained(scalar, name).ledger.labels)
    between = labels[labels.index("dW1[1,1]") + 1 : labels.index("uW1[1,1]")]
    assert between == COLUMNS[name]


@pytest.mark.parametrize("name", COLUMNS)
def test_a_gradient_of_zero_moves_nothing_at_first(tmp_path: Path, name: str) -> None:
    (tmp_path / "d.csv").write_text("x,y\n0,1\n0,2\n")
    run = trained(tmp_path, name, 3)
    assert np.isfinite(run.matrix).all()
    assert set(weights(run)) == {START}


@pytest.mark.parametrize("name", COLUMNS)
def test_its_numbers_have_cells_and_names(tmp_path: Path, name: str) -> None:
    path = tmp_path / "book.xlsx"
    sheetnet.export(make_spec(optimizer=name), path, sheets=WITHOUT_VIEWS)
    names = openpyxl.load_workbook(path).defined_names
    for number in OPTIMIZERS[name].hyperparameters:
        assert names[number.name].attr_text.startswith("Config!$B$")
