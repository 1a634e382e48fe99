"""The mathematics of the tables: definitions, derivatives, initial weights, scaling."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from sheetnet.concepts.activations import ACTIVATIONS, Activation
from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.initializers import INITIALIZERS
from sheetnet.concepts.losses import LOSSES, Loss
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.concepts.scaling import SCALINGS, Scaling

STEP = 1e-6

activations = pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=list(ACTIVATIONS))
losses = pytest.mark.parametrize("loss", LOSSES.values(), ids=list(LOSSES))
initializers = pytest.mark.parametrize("name", INITIALIZERS)


def quantities(activation: Activation, z: Array) -> dict[str, Array]:
    """From z to a, part by part."""
    q = {"z": z}
    for part in activation.parts:
        q[part.name] = part.value(q)
    return q


def differences(function: Callable[[Array], Array], x: Array) -> Array:
    """Central differences of a function of x (units,): (units, *shape of its value)."""
    found = []
    for j in range(len(x)):
        step = np.zeros_like(x)
        step[j] = STEP
        found.append((function(x + step) - function(x - step)) / (2 * STEP))
    return np.array(found)


def some_z(units: int) -> Array:
    """Random z, none of them near the kink of relu."""
    z = np.random.default_rng(units).normal(0, 2, units)
    assert (np.abs(z) > 10 * STEP).all()
    return z


@activations
def test_last_part_of_an_activation_is_a(activation: Activation) -> None:
    assert activation.parts[-1].name == "a"
    assert activation.coupled == (activation.back is not None)
    assert (activation.slope is None) == (activation.slope_cell is None)
    assert (activation.back is None) == (activation.back_cell is None)


@activations
@pytest.mark.parametrize("units", [1, 3, 10])
def test_slope_is_the_derivative(activation: Activation, units: int) -> None:
    z = some_z(units)
    jacobian = differences(lambda z: quantities(activation, z)["a"], z)
    a = quantities(activation, z)["a"]
    if activation.slope is not None:
        assert jacobian == pytest.approx(np.diag(activation.slope(z, a)), abs=1e-8)
    if activation.back is not None:
        slopes = np.random.default_rng(5).normal(size=units)
        assert activation.back(slopes, a) == pytest.approx(jacobian @ slopes, abs=1e-8)


def some_targets(loss: Loss, outputs: int) -> Array:
    y = np.random.default_rng([outputs, 3]).uniform(0, 1, outputs)
    return y / y.sum() if loss.targets == "shares" else y


@losses
@pytest.mark.parametrize("outputs", [1, 2, 10])
def test_loss_slopes_and_deltas_are_derivatives(loss: Loss, outputs: int) -> None:
    y, z = some_targets(loss, outputs), some_z(outputs)
    for activation in (a for a in ACTIVATIONS.values() if loss.suits(a.name)):
        q = {**quantities(activation, z), "y": y}
        if loss.slope is not None:
            by_a = differences(lambda a, q=q: loss.value({**q, "a": a}), q["a"])
            assert loss.slope(q) == pytest.approx(by_a, abs=1e-7)
        closed = loss.deltas.get(activation.name)
        if closed is not None:
            by_z = differences(
                lambda z, of=activation: loss.value({**quantities(of, z), "y": y}), z
            )
            assert closed.value(q) == pytest.approx(by_z, abs=1e-7)


@losses
def test_every_fitting_pair_has_a_way_back(loss: Loss) -> None:
    """Either δ in closed form, or the loss's slope times the activation's."""
    fitting = [name for name in ACTIVATIONS if loss.suits(name)]
    assert fitting
    for name in fitting:
        assert name in loss.deltas or loss.slope is not None
    assert set(loss.deltas) <= set(fitting)


def test_defaults_name_records_that_fit() -> None:
    for activation in ACTIVATIONS.values():
        assert LOSSES[activation.default_loss].suits(activation.name)
    for optimizer in OPTIMIZERS.values():
        for number in optimizer.hyperparameters:
            assert number.low <= number.default
            assert number.high is None or number.default <= number.high


@pytest.mark.parametrize(
    ("activation", "loss"),
    [(a, loss) for a in ACTIVATIONS.values() for loss in LOSSES.values() if loss.suits(a.name)],
    ids=lambda record: record.name,
)
def test_forms_take_leading_axes(activation: Activation, loss: Loss) -> None:
    """The verifier applies to all rows at once what training applies to one: same bits."""
    z = np.random.default_rng(6).normal(0, 3, (5, 10))
    y = np.tile(some_targets(loss, 10), (5, 1))
    q = {**quantities(activation, z), "y": y}
    each = [{**quantities(activation, row), "y": target} for row, target in zip(z, y, strict=True)]
    for part in activation.parts:
        assert np.array_equal(q[part.name], [row[part.name] for row in each])
    assert np.array_equal(loss.value(q), [loss.value(row) for row in each])


# --- definitions, written down a second time in plain Python

VALUES = [0.0, 1e-300, -1e-300, 0.3, -0.3, 2.5, -2.5, 20.0, -20.0]


def value_of(name: str, z: float) -> float:
    return float(quantities(ACTIVATIONS[name], np.array([z]))["a"][0])


def slope_of(name: str, z: float) -> float:
    slope = ACTIVATIONS[name].slope
    assert slope is not None
    return float(slope(np.array([z]), np.array([value_of(name, z)]))[0])


@pytest.mark.parametrize("z", VALUES)
def test_values_of_the_lecture(z: float) -> None:
    e = math.exp
    assert value_of("linear", z) == z
    assert value_of("sigmoid", z) == pytest.approx(1 / (1 + e(-z)), rel=1e-15, abs=0)
    assert value_of("tanh", z) == pytest.approx((e(z) - e(-z)) / (e(z) + e(-z)), abs=1e-15)
    assert value_of("relu", z) == max(z, 0)
    assert value_of("leaky_relu", z) == (z if z > 0 else 0.01 * z)


def test_far_out_and_at_the_kink() -> None:
    assert [value_of("sigmoid", z) for z in (-800.0, 0.0, 800.0)] == [0.0, 0.5, 1.0]
    assert [value_of("tanh", z) for z in (-800.0, 0.0, 800.0)] == [-1.0, 0.0, 1.0]
    assert [slope_of("relu", z) for z in (-1.0, -0.0, 0.0, 1e-300)] == [0.0, 0.0, 0.0, 1.0]
    assert [slope_of("leaky_relu", z) for z in (-1.0, 0.0, 1.0)] == [0.01, 0.01, 1.0]


def test_softmax_values() -> None:
    def softmax(*z: float) -> list[float]:
        return quantities(ACTIVATIONS["softmax"], np.array(z))["a"].tolist()

    assert softmax(1.5, 1.5, 1.5, 1.5) == [0.25] * 4
    assert softmax(800.0, -800.0) == [1.0, 0.0]
    assert softmax(math.log(1), math.log(2), math.log(5)) == pytest.approx([0.125, 0.25, 0.625])


def test_losses_of_the_lecture() -> None:
    def loss(name: str, last: str, z: list[float], y: list[float]) -> float:
        q = {**quantities(ACTIVATIONS[last], np.array(z)), "y": np.array(y)}
        return float(LOSSES[name].value(q))

    assert loss("mse", "linear", [1.0, 4.0], [3.0, 5.0]) == 2.5
    p, q = value_of("sigmoid", 0.7), value_of("sigmoid", -1.2)
    entropies = [-math.log(p), -(0.25 * math.log(q) + 0.75 * math.log(1 - q))]
    found = loss("binary_entropy", "sigmoid", [0.7, -1.2], [1.0, 0.25])
    assert found == pytest.approx(sum(entropies) / 2, rel=1e-14)
    # A saturated wrong prediction costs |z|, where ln 0 would be an error.
    assert loss("binary_entropy", "sigmoid", [800.0], [0.0]) == 800
    assert loss("cross_entropy", "softmax", [0.0, 0.0], [0.0, 1.0]) == pytest.approx(math.log(2))
    assert loss("cross_entropy", "softmax", [-800.0, 0.0], [1.0, 0.0]) == 800


def test_sgd_goes_against_the_gradient() -> None:
    numbers = {"gradient": np.array([2.0, -4.0]), "learning_rate": np.array(0.25)}
    assert OPTIMIZERS["sgd"].step(numbers).tolist() == [-0.5, 1.0]
    assert OPTIMIZERS["sgd"].slots == ()


# --- initial weights


def draw(name: str, units: int, inputs: int, seed: int = 4) -> Array:
    return INITIALIZERS[name].draw(np.random.RandomState(seed), units, inputs)


@initializers
def test_initial_weights_are_short_numbers_from_the_seed(name: str) -> None:
    weights = draw(name, 7, 5)
    assert weights.shape == (7, 5)
    assert np.array_equal(weights, draw(name, 7, 5))
    # Six decimals: exact in any file, readable in a cell.
    assert all(float(f"{w:.6f}") == w for w in weights.ravel().tolist())
    if weights.any():
        assert not np.array_equal(weights, draw(name, 7, 5, seed=5))


@pytest.mark.parametrize(
    ("name", "limit"), [("uniform", 0.5), ("glorot", math.sqrt(6 / (60 + 200)))]
)
def test_uniform_weights_fill_their_interval(name: str, limit: float) -> None:
    weights = draw(name, 200, 60)
    assert np.abs(weights).max() == pytest.approx(limit, rel=1e-3)
    assert np.abs(weights).max() <= limit + 5e-7
    assert weights.std() == pytest.approx(limit / math.sqrt(3), rel=0.02)
    assert weights.mean() == pytest.approx(0, abs=0.02 * limit)


def test_he_weights_have_the_deviation_of_their_inputs() -> None:
    weights = draw("he", 200, 60)
    assert weights.std() == pytest.approx(math.sqrt(2 / 60), rel=0.02)
    inside = np.abs(weights) < math.sqrt(2 / 60)
    assert inside.mean() == pytest.approx(0.683, abs=0.02)  # normal, not uniform


def test_zeros_are_zeros() -> None:
    assert not draw("zeros", 3, 2).any()


# --- scaling


def scaled(scaling: Scaling, column: Array) -> Array:
    known: dict[str, float] = {}
    for statistic in scaling.statistics:
        known[statistic.name] = statistic.value(column, known)
    return scaling.value(column, known)


def test_scaled_columns_against_numpy() -> None:
    x = np.random.default_rng(1).normal(50, 7, 40)
    assert scaled(SCALINGS["none"], x).tolist() == x.tolist()
    assert scaled(SCALINGS["standard"], x) == pytest.approx((x - x.mean()) / x.std(), abs=1e-12)
    low, high = x.min(), x.max()
    assert scaled(SCALINGS["minmax"], x) == pytest.approx((x - low) / (high - low), abs=1e-12)


@pytest.mark.parametrize(
    "scaling", [s for s in SCALINGS.values() if s.statistics], ids=lambda s: s.name
)
@pytest.mark.parametrize("value", [0.1, 0.0, -1234.56789, 1e300])
def test_a_constant_column_becomes_nearly_zero(scaling: Scaling, value: float) -> None:
    found = scaled(scaling, np.full(10, value))
    assert np.abs(found).max() <= 1e-15 * abs(value)
