"""Training against independent oracles: finite differences, a plain loop, a printed example."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import make_spec

import sheetnet
from sheetnet.concepts.activations import ACTIVATIONS
from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.losses import LOSSES
from sheetnet.run import Run
from sheetnet.spec import Spec

ROOT = Path(__file__).parent.parent

# The definitions as a textbook has them, without care for overflow.
FORWARD: dict[str, Callable[[Array], Array]] = {
    "linear": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)),
    "relu": lambda z: z * (z > 0),
    "leaky_relu": lambda z: z * np.where(z > 0, 1, 0.01),
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(),
}
LOSS: dict[str, Callable[[Array, Array], float]] = {
    "mse": lambda y, a: float(np.mean((y - a) ** 2)),
    "binary_entropy": lambda y, a: float(np.mean(-y * np.log(a) - (1 - y) * np.log(1 - a))),
    "cross_entropy": lambda y, a: float(-np.sum(y * np.log(a))),
}


def activate(name: str, z: Array) -> Array:
    """A record that is not among the definitions above is taken at its own word."""
    if name in FORWARD:
        return FORWARD[name](z)
    q = {"z": z}
    for part in ACTIVATIONS[name].parts:
        q[part.name] = part.value(q)
    return q["a"]


def loss_of(run: Run, parameters: dict[str, Array], x: Array, y: Array) -> float:
    """The loss of one sample for given weights, by textbook definitions."""
    a = x
    for layer in run.problem.network.layers:
        z = parameters[f"W{layer.index}"] @ a + parameters[f"b{layer.index}"]
        a = activate(layer.activation.name, z)
    loss = run.problem.network.loss
    if loss.name in LOSS:
        return LOSS[loss.name](y, a)
    return float(loss.value({"z": z, "a": a, "y": y}))


def assert_gradients(run: Run, visit: int) -> None:
    """Compare every gradient of a visit with central differences of the loss."""
    names = [n for l in run.problem.network.layers for n in (f"W{l.index}", f"b{l.index}")]
    held = {name: run[name][visit].copy() for name in names}
    x, y = run["x"][visit], run["y"][visit]
    assert run["loss"][visit] == pytest.approx(loss_of(run, held, x, y), rel=1e-12)
    h = 1e-6
    for name in names:
        for index in np.ndindex(held[name].shape):
            sides = []
            for step in (h, -h):
                moved = {**held, name: held[name].copy()}
                moved[name][index] += step
                sides.append(loss_of(run, moved, x, y))
            slope = (sides[0] - sides[1]) / (2 * h)
            found = run[f"d{name}"][visit][index]
            assert found == pytest.approx(slope, rel=1e-6, abs=1e-8), f"d{name}{index}"


@pytest.fixture
def shares(tmp_path: Path) -> Path:
    """Four rows; the targets lie within 0 … 1 and add up to 1, so that any loss takes them."""
    text = "p,q,s,t\n0.5,-1.25,0.25,0.75\n-0.7,0.4,1,0\n1.3,0.9,0.5,0.5\n-0.2,-0.6,0.1,0.9\n"
    (tmp_path / "shares.csv").write_text(text)
    return tmp_path


def on_shares(folder: Path, layers: list[dict[str, Any]], **options: Any) -> Spec:
    data = {"inputs": ["p", "q"], "target": ["s", "t"], **options.pop("data", {})}
    return make_spec(source="shares.csv", folder=folder, data=data, layers=layers, **options)


SEED = 2
"""Gives hidden units on both sides of relu's kink."""

HIDDEN = [a.name for a in ACTIVATIONS.values() if not a.last_only]
PAIRS = [(a, loss.name) for loss in LOSSES.values() for a in ACTIVATIONS if loss.suits(a)]


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize(("last", "loss"), PAIRS)
def test_gradients_are_finite_differences(hidden: str, last: str, loss: str, shares: Path) -> None:
    layers = [
        {"units": 3, "activation": hidden, "bias": [0.3, -0.2, 0.4]},
        {"units": 2, "activation": hidden, "bias": [0.3, 0.2]},
        {"units": 2, "activation": last, "bias": [0.1, -0.2]},
    ]
    options = {"loss": loss, "epochs": 1, "initializer": "glorot", "seed": SEED}
    run = sheetnet.train(on_shares(shares, layers, **options))
    for visit in range(4):
        for name in ("z1", "z2", "z3"):  # a kink would make the difference quotient wrong
            assert (np.abs(run[name][visit]) > 1e-4).all()
        assert_gradients(run, visit)


@pytest.mark.parametrize(("last", "loss"), PAIRS)
def test_gradients_of_wide_layers(last: str, loss: str, shares: Path) -> None:
    """More than 8 terms are added in another way than a few."""
    layers = [{"units": 11, "activation": "tanh"}, {"units": 2, "activation": last}]
    run = sheetnet.train(on_shares(shares, layers, loss=loss, epochs=1))
    assert_gradients(run, 3)


def test_gradients_of_wide_outputs(tmp_path: Path) -> None:
    names = ",".join(f"t{k}" for k in range(10))
    (tmp_path / "wide.csv").write_text(f"p,{names}\n0.5,{','.join(['0.1'] * 10)}\n")
    data = {"inputs": ["p"], "target": names.split(",")}
    for last, loss in PAIRS:
        layers = [{"units": 3, "activation": "tanh"}, {"activation": last}]
        options: dict[str, Any] = {"layers": layers, "loss": loss, "epochs": 2}
        run = sheetnet.train(make_spec(source="wide.csv", folder=tmp_path, data=data, **options))
        for visit in range(2):
            for name in ("z1", "z2"):
                assert (np.abs(run[name][visit]) > 1e-4).all()
            assert_gradients(run, visit)


def test_numbers_that_mazur_printed() -> None:
    """Matt Mazur, "A Step by Step Backpropagation Example": to all digits that he prints."""
    run = sheetnet.train(sheetnet.load_spec(ROOT / "examples" / "mazur.toml"))
    assert f"{run['loss'][0]:.9f}" == "0.298371109"
    printed = (
        ("0.149780716", "0.19956143", "0.24975114", "0.29950229"),
        ("0.35891648", "0.408666186", "0.51130127", "0.561370121"),
    )
    for name, texts in zip(("W1", "W2"), printed, strict=True):
        found = [
            f"{w:.{len(text) - 2}f}" for w, text in zip(run[name][1].ravel(), texts, strict=True)
        ]
        assert tuple(found) == texts
    assert (run["b1"] == 0.35).all() and (run["b2"] == 0.6).all()


def plain_loop(run: Run, rate: float) -> tuple[list[float], list[Any]]:
    """Train 2-3-1 (tanh, sigmoid, binary entropy) with lists and math alone."""
    w1, b1 = run["W1"][0].tolist(), run["b1"][0].tolist()
    w2, b2 = run["W2"][0][0].tolist(), float(run["b2"][0][0])
    losses = []
    for x, (y,) in zip(run["x"].tolist(), run["y"].tolist(), strict=True):
        hidden = [math.tanh(w1[j][0] * x[0] + w1[j][1] * x[1] + b1[j]) for j in range(3)]
        output = 1 / (1 + math.exp(-sum(w2[j] * hidden[j] for j in range(3)) - b2))
        losses.append(-math.log(output) if y == 1 else -math.log(1 - output))
        error = output - y
        back = [error * w2[j] * (1 - hidden[j] ** 2) for j in range(3)]
        w2 = [w2[j] - rate * error * hidden[j] for j in range(3)]
        b2 -= rate * error
        for j in range(3):
            w1[j] = [w1[j][i] - rate * back[j] * x[i] for i in range(2)]
            b1[j] -= rate * back[j]
    return losses, [w1, b1, [w2], [b2]]


def test_a_plain_loop_trains_the_same() -> None:
    spec = make_spec(source="toy:or", epochs=100, learning_rate=0.9, shuffle=True, seed=1)
    run = sheetnet.train(spec)
    losses, weights = plain_loop(run, 0.9)
    assert run["loss"].tolist() == pytest.approx(losses, rel=1e-12)
    assert run.epoch_losses[-1] < 0.9 * run.epoch_losses[0]
    for name, wanted in zip(("W1", "b1", "W2", "b2"), weights, strict=True):
        assert run.final[name] == pytest.approx(np.array(wanted), rel=1e-12)


def test_samples_bring_their_own_rows() -> None:
    run = sheetnet.train(make_spec(shuffle=True, epochs=4))
    table = {1: (0, 0, 0), 2: (0, 1, 1), 3: (1, 0, 1), 4: (1, 1, 0)}
    for sample, x, y in zip(run["sample"].tolist(), run["x"], run["y"], strict=True):
        assert (*x, *y) == table[sample]
    assert run["visit"].tolist() == run["update"].tolist() == list(range(1, 17))
    assert run["epoch"].tolist() == [e for e in (1, 2, 3, 4) for _ in range(4)]


def test_several_targets_scaled(shares: Path) -> None:
    data = {"target_scale": "standard"}
    run = sheetnet.train(on_shares(shares, [{"activation": "linear"}], data=data, epochs=1))
    raw = np.array([[0.25, 0.75], [1, 0], [0.5, 0.5], [0.1, 0.9]])
    assert run["W1"].shape == (4, 2, 2) and run["delta1"].shape == (4, 2)
    assert run["y"] == pytest.approx((raw - raw.mean(axis=0)) / raw.std(axis=0), abs=1e-12)
    assert run["loss"] == pytest.approx(((run["y"] - run["a1"]) ** 2).mean(axis=1), rel=1e-14)


def orders(**options: Any) -> list[tuple[float, ...]]:
    run = sheetnet.train(
        make_spec(source="toy:blobs", layers=[{"activation": "softmax"}], **options)
    )
    return [tuple(row) for row in run["sample"].reshape(options["epochs"], -1).tolist()]


def test_shuffle_draws_a_new_order_each_epoch() -> None:
    data = {"rows": 30}
    found = orders(shuffle=True, epochs=5, seed=1, data=data)
    assert all(sorted(order) == list(range(1, 31)) for order in found)
    assert len(set(found)) == 5
    assert found == orders(shuffle=True, epochs=5, seed=1, data=data)
    assert found[:2] == orders(shuffle=True, epochs=2, seed=1, data=data)  # more epochs change none
    assert found != orders(shuffle=True, epochs=5, seed=2, data=data)
    assert set(orders(shuffle=False, epochs=3, data=data)) == {tuple(range(1, 31))}


def test_biases_that_are_not_trained_stay() -> None:
    first = {"units": 3, "activation": "tanh", "bias": [0.1, -0.2, 0.3], "train_bias": False}
    run = sheetnet.train(make_spec(layers=[first, {"activation": "sigmoid"}], epochs=20))
    assert (run["b1"] == [0.1, -0.2, 0.3]).all()
    assert "db1" not in run.ledger and "ub1" not in run.ledger
    assert len(set(run["b2"].ravel().tolist())) == 80
    assert run.final["b1"].tolist() == [0.1, -0.2, 0.3]
