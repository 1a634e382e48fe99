"""Candidates: their product, the structures that come of it, values that cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from support import make_spec

from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.errors import SpecError
from sheetnet.problem import load_problem
from sheetnet.spec import Spec
from sheetnet.tuning.candidates import AXES, MAX_CANDIDATES, candidates, read_values

PERCEPTRON = [{"activation": "sigmoid"}]
GIVEN = [
    {"units": 2, "activation": "relu", "weights": [[1, 2], [3, 4]], "bias": [5, 6]},
    {"units": 1, "activation": "sigmoid", "weights": [[7, 8]], "bias": [9], "train_bias": False},
]


def hidden(spec: Spec) -> list[tuple[Any, ...]]:
    return [(layer.units, layer.activation, layer.dropout) for layer in spec.layers[:-1]]


def only(spec: Spec, **axes: Any) -> Spec:
    (found,) = candidates(spec, axes)
    return found


def complaint(**axes: Any) -> str:
    with pytest.raises(SpecError) as caught:
        candidates(make_spec(), axes)
    return str(caught.value)


def test_nothing_given_is_the_spec_itself() -> None:
    spec = make_spec(layers=GIVEN)
    assert candidates(spec, {}) == candidates(spec, dict.fromkeys(AXES)) == (spec,)


def test_all_combinations_in_order() -> None:
    found = candidates(make_spec(), {"units": (2, 4), "layers": (1, 2), "learning_rate": (0.1, 1)})
    assert [(len(s.layers) - 1, s.layers[0].units, s.training.learning_rate) for s in found] == [
        (layers, units, rate) for layers in (1, 2) for units in (2, 4) for rate in (0.1, 1.0)
    ]
    assert all(load_problem(spec).network.outputs == 1 for spec in found)


def test_an_axis_left_out_stays_as_the_spec_has_it() -> None:
    layers = [
        {"units": 5, "activation": "relu", "dropout": 0.5},
        {"units": 3, "activation": "sigmoid"},
        {"activation": "sigmoid"},
    ]
    spec = make_spec(layers=layers, epochs=7, clip=0.5)
    assert hidden(only(spec, units=4)) == [(4, "relu", 0.5), (4, "sigmoid", None)]
    assert hidden(only(spec, layers=2)) == hidden(spec)
    assert hidden(only(spec, layers=3)) == [(5, "relu", 0.5)] * 3
    assert hidden(only(spec, activation="tanh")) == [(5, "tanh", 0.5), (3, "tanh", None)]
    assert hidden(only(spec, dropout=0)) == [(5, "relu", None), (3, "sigmoid", None)]
    assert hidden(only(spec, layers=1, units=2, dropout=0.1)) == [(2, "relu", 0.1)]
    assert only(spec, units=4).training == spec.training


def test_hidden_layers_of_a_perceptron_s_spec() -> None:
    spec = make_spec(layers=PERCEPTRON)
    assert hidden(only(spec, units=4)) == [(4, "tanh", None)]
    assert hidden(only(spec, units=4, layers=2, activation="relu")) == [(4, "relu", None)] * 2
    assert candidates(spec, {"layers": (0,)}) == (spec,)
    with pytest.raises(SpecError, match=r"layers is 2.*give units as well"):
        candidates(spec, {"layers": (2,)})
    with pytest.raises(SpecError, match="dropout is given, but no candidate has a hidden layer"):
        candidates(spec, {"dropout": (0.1, 0.2)})


def test_a_perceptron_has_no_units_to_differ_in() -> None:
    found = candidates(make_spec(), {"layers": (0, 1), "units": (2, 4, 8), "activation": ("relu",)})
    assert [hidden(spec) for spec in found] == [[], *([(n, "relu", None)] for n in (2, 4, 8))]


def test_given_weights_stay_where_they_fit() -> None:
    spec = make_spec(layers=GIVEN)
    assert only(spec, units=2, layers=1, learning_rate=0.5) == spec
    assert only(spec, activation="tanh").layers[0].weights == ((1, 2), (3, 4))
    for axes in ({"units": 3}, {"layers": 2}, {"layers": 0}):
        made = only(spec, **axes)
        assert all(layer.weights is None for layer in made.layers)
        assert all(layer.bias is None for layer in made.layers[:-1])
        assert (made.layers[-1].bias, made.layers[-1].train_bias) == ((9,), False)
        load_problem(made)


@pytest.mark.parametrize("old", OPTIMIZERS)
@pytest.mark.parametrize("new", OPTIMIZERS)
def test_another_optimizer_has_its_own_numbers(old: str, new: str) -> None:
    own = {h.name: 0.25 for h in OPTIMIZERS[old].hyperparameters}
    spec = make_spec(optimizer=old, clip=2.0, **{**own, "learning_rate": 0.125})
    made = only(spec, optimizer=new).training
    expected = {
        h.name: own.get(h.name, h.default) for h in OPTIMIZERS[new].hyperparameters
    } | {"clip": 2.0, "learning_rate": 0.125}  # fmt: skip
    assert (made.optimizer, dict(made.hyperparameters)) == (new, expected)


@pytest.mark.parametrize(
    ("axis", "text", "expected"),
    [
        ("units", "2,4,8", (2, 4, 8)),
        ("units", " 2 , 4 ", (2, 4)),
        ("layers", "0,1", (0, 1)),
        ("learning_rate", "1e-2,1,.5", (0.01, 1.0, 0.5)),
        ("optimizer", ",".join(OPTIMIZERS), tuple(OPTIMIZERS)),
        ("dropout", "0,0.5", (0.0, 0.5)),
    ],
)
def test_values_from_a_text(axis: str, text: str, expected: tuple[Any, ...]) -> None:
    assert read_values(axis, text, key="--x") == expected


@pytest.mark.parametrize(
    ("axis", "text", "message"),
    [
        ("units", "2,x", "--x is 'x': a whole number from 1 is needed"),
        ("units", "0", "--x is 0: a whole number from 1"),
        ("units", "2.0", "--x is 2.0: a whole number"),
        ("units", "", "--x is '': a whole number"),
        ("units", "2,,4", "--x is '': a whole number"),
        ("units", "2,4,2", "--x names 2 more than once"),
        ("units", "99999", "too many for a sheet"),
        ("layers", "-1", r"--x is -1: a whole number from 0 \(a perceptron\) to 100"),
        ("layers", "101", "--x is 101"),
        ("learning_rate", "0.1,0.10", "--x names 0.1 more than once"),
        ("learning_rate", "nan", "--x is nan: a finite number"),
        ("learning_rate", "-1", "--x is -1: a number from 0"),
        ("dropout", "1", "--x is 1: a number from 0 to 0.999"),
        ("optimizer", "adm", "--x is 'adm' .did you mean 'adam'"),
        ("activation", "softmax", "--x is 'softmax'; allowed: linear, "),
        ("batch_size", "0", "--x is 0"),
    ],
)
def test_values_that_cannot_be(axis: str, text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read_values(axis, text, key="--x")


def test_values_from_python() -> None:
    assert candidates(make_spec(), {"units": [3]}) == candidates(
        make_spec(), {"units": range(3, 4)}
    )
    assert complaint(units=()) == "units is empty: at least one value is needed"
    assert complaint(units=(True,)).startswith("units is True")
    assert complaint(units=None, layers=(1.0,)).startswith("layers is 1.0")
    assert complaint(optimizer="adm").startswith("optimizer is 'adm'")


def test_too_many_candidates() -> None:
    side = int(MAX_CANDIDATES**0.5)
    axes = {"units": range(1, side + 2), "batch_size": range(1, side + 1)}
    assert "candidates; allowed: 10000" in complaint(**axes)
    assert len(candidates(make_spec(), {"units": range(1, 301)})) == 300
