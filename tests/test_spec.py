"""The spec: defaults, every key, and one readable line for whatever is wrong with it."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest
from support import make_spec

from sheetnet.errors import SpecError
from sheetnet.problem import load_problem
from sheetnet.spec import Spec, parse_spec

MINIMAL = '[data]\nsource = "toy:xor"\n\n[[layers]]\nunits = 1\nactivation = "sigmoid"\n'

FULL = """
[data]
source = "table.xlsx"
sheet = "measurements"
inputs = ["a", "b"]
target = ["c", "d"]
scale = "standard"
target_scale = "minmax"
rows = 30

[[layers]]
units = 2
activation = "leaky_relu"
weights = [[1, 2.5], [-3e-4, 0.0]]
bias = [0, -1.5]
train_bias = false

[[layers]]
units = 2
activation = "linear"

[training]
loss = "mse"
epochs = 7
batch_size = 1
shuffle = true
seed = 42
learning_rate = 0.25
optimizer = "sgd"
initializer = "glorot"
"""


def parsed(document: dict[str, Any]) -> Spec:
    return parse_spec(document, name="test", folder=Path())


def changed(key: str, value: Any) -> dict[str, Any]:
    """The full spec with one value replaced: ``training.epochs``, ``layers.1.bias``."""
    document = copy.deepcopy(tomllib.loads(FULL))
    *path, last = key.split(".")
    table: Any = document
    for step in path:
        table = table[int(step) - 1] if step.isdigit() else table[step]
    table[last] = value
    return document


def complaint(document: dict[str, Any]) -> str:
    with pytest.raises(SpecError) as caught:
        parsed(document)
    message = str(caught.value)
    assert message == " ".join(message.split())  # one line
    return message


def test_defaults() -> None:
    spec = parsed(tomllib.loads(MINIMAL))
    assert spec.data.source == "toy:xor"
    assert (spec.data.scale, spec.data.target_scale) == ("none", "none")
    assert spec.data.sheet is spec.data.inputs is spec.data.target is spec.data.rows is None
    (layer,) = spec.layers
    assert (layer.weights, layer.bias, layer.train_bias) == (None, None, True)
    training = spec.training
    assert (training.loss, training.batch_size, training.shuffle, training.seed) == (
        None, 1, False, 0,
    )  # fmt: skip
    assert (training.learning_rate, training.optimizer) == (0.1, "sgd")
    assert training.initializer == "uniform"
    assert layer.dropout is None
    assert training.hyperparameters == {"learning_rate": 0.1}  # no limits, no momentum


@pytest.mark.parametrize(
    ("activation", "loss"),
    [("linear", "mse"), ("sigmoid", "binary_entropy"), ("tanh", "mse"), ("relu", "mse"),
     ("leaky_relu", "mse"), ("softmax", "cross_entropy")],
)  # fmt: skip
def test_default_loss_follows_from_the_last_activation(activation: str, loss: str) -> None:
    spec = make_spec(layers=[{"activation": activation}])
    assert load_problem(spec).network.loss.name == loss


def test_every_key() -> None:
    spec = parsed(tomllib.loads(FULL))
    data, training = spec.data, spec.training
    assert (data.source, data.sheet) == ("table.xlsx", "measurements")
    assert (data.inputs, data.target) == (("a", "b"), ("c", "d"))
    assert (data.scale, data.target_scale, data.rows) == ("standard", "minmax", 30)
    first, last = spec.layers
    assert (first.units, first.activation) == (2, "leaky_relu")
    assert first.weights == ((1.0, 2.5), (-3e-4, 0.0))
    assert (first.bias, first.train_bias) == ((0.0, -1.5), False)
    assert (last.units, last.activation) == (2, "linear")
    assert (training.loss, training.epochs, training.batch_size) == ("mse", 7, 1)
    assert (training.shuffle, training.seed, training.learning_rate) == (True, 42, 0.25)
    assert (training.optimizer, training.initializer) == ("sgd", "glorot")


def test_one_column_may_be_named_without_a_list() -> None:
    assert parsed(changed("data.target", "species")).data.target == ("species",)


def test_the_last_layer_may_leave_its_units_out() -> None:
    document = tomllib.loads(MINIMAL)
    del document["layers"][0]["units"]
    assert parsed(document).layers[0].units is None


@pytest.mark.parametrize(
    ("key", "meant"),
    [("trainig", "training"), ("data.sorce", "source"), ("data.targets", "target"),
     ("layers.1.unit", "units"), ("layers.2.wieghts", "weights"), ("training.epoch", "epochs"),
     ("training.learning-rate", "learning_rate"), ("training.Seed", "seed")],
)  # fmt: skip
def test_a_misspelt_key_names_the_nearest(key: str, meant: str) -> None:
    message = complaint(changed(key, 1))
    assert key.rsplit(".", 1)[-1] in message
    assert f"did you mean '{meant}'" in message
    assert "allowed:" in message


@pytest.mark.parametrize("key", ["zzz", "data.zzz", "layers.1.zzz", "training.zzz"])
def test_an_unknown_key_lists_what_is_allowed(key: str) -> None:
    message = complaint(changed(key, 1))
    assert "zzz" in message
    assert "allowed:" in message
    assert "did you mean" not in message


@pytest.mark.parametrize(
    ("key", "given", "meant"),
    [("layers.1.activation", "sigmiod", "sigmoid"), ("training.loss", "cross-entropy",
     "cross_entropy"), ("training.optimizer", "sdg", "sgd"), ("data.scale", "standrad",
     "standard"), ("data.target_scale", "min_max", "minmax"),
     ("training.initializer", "glorott", "glorot")],
)  # fmt: skip
def test_a_misspelt_choice_names_the_nearest(key: str, given: str, meant: str) -> None:
    message = complaint(changed(key, given))
    assert repr(given) in message
    assert f"did you mean '{meant}'" in message
    assert meant in message.partition("allowed:")[2]


NAN, INF, HUGE = float("nan"), float("inf"), 10**400

WRONG: dict[str, list[Any]] = {
    "data.source": [1, "", ["a.csv"], True],
    "data.sheet": [1, "", ["x"]],
    "data.inputs": [1, "", [], [1], ["a", ""], ["a", "a"], [["a"]], {"a": 1}],
    "data.target": [False, "", [], [1], ["c", "c"]],
    "data.scale": [True, 1, "", ["standard"]],
    "data.target_scale": [0.5],
    "data.rows": [0, -1, 1.5, True, "30", [30], HUGE],
    "layers.1.units": [0, -2, 2.0, True, "2", HUGE],
    "layers.2.activation": [1, ["relu"], True],
    "layers.1.weights": [0.5, [], [[]], [1.0, 2.0], [[1, 2], [3]], [["a", "b"]],
                         [[True, 1], [1, 1]], [[NAN, 0], [0, 0]], [[HUGE, 0], [0, 0]], "zeros"],
    "layers.1.bias": [0.0, [], [[0]], ["0"], [True, 0], [INF, 0]],
    "layers.1.train_bias": [0, 1, "true", []],
    "training.loss": [1, True, ["mse"], ""],
    "training.epochs": [0, -1, 2.0, "3", True, HUGE, [1]],
    "training.batch_size": [0, -1, 1.0, True, "1"],
    "training.shuffle": [0, 1, "yes", []],
    "training.seed": [-1, 2**32, 0.0, True, "0", HUGE],
    "training.learning_rate": [-0.1, NAN, INF, -INF, True, "0.1", [0.1], HUGE, {}],
    "training.optimizer": [0, True, ["sgd"]],
    "training.clip": [-0.1, NAN, INF, True, "0.2", [0.2], HUGE],
    "training.clip_norm": [-1, NAN, INF, False, "1"],
    "layers.1.dropout": [-0.1, 1, 1.0, NAN, True, "0.5", [0.5]],
    "layers.2.dropout": [0.5],  # the last layer
    "training.initializer": [0, False, ""],
}  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value"),
    [(key, value) for key, values in WRONG.items() for value in values],
    ids=lambda value: value if isinstance(value, str) else f"{value!r:.20}",
)
def test_a_wrong_value_names_its_key(key: str, value: Any) -> None:
    message = complaint(changed(key, value))
    shown = key.replace("layers.1", "layers[1]").replace("layers.2", "layers[2]")
    assert message.startswith(shown)
    assert len(message) < 400  # a huge value is not repeated in full


@pytest.mark.parametrize(("key", "value"), [
    ("data", 1), ("data", []), ("training", 3), ("training", [1]), ("layers.1", 5),
])  # fmt: skip
def test_tables_must_be_tables(key: str, value: Any) -> None:
    document = tomllib.loads(FULL)
    if key == "layers.1":
        document["layers"][0] = value
    else:
        document[key] = value
    assert "a table of keys is needed" in complaint(document)


@pytest.mark.parametrize("layers", [None, [], {}, "relu", 1])
def test_layers_are_needed(layers: Any) -> None:
    document = tomllib.loads(MINIMAL)
    del document["layers"]
    if layers is not None:
        document["layers"] = layers
    assert "[[layers]]" in complaint(document)


def test_data_and_its_source_are_needed() -> None:
    document = tomllib.loads(MINIMAL)
    del document["data"]["source"]
    assert "data.source" in complaint(document)
    del document["data"]
    assert "[data]" in complaint(document)


def test_hidden_layers_need_units() -> None:
    document = changed("layers.1.units", 2)
    del document["layers"][0]["units"]
    assert "layers[1].units" in complaint(document)


def test_softmax_is_for_the_last_layer() -> None:
    message = complaint(changed("layers.1.activation", "softmax"))
    assert "last layer" in message
    assert "softmax" not in message.partition("allowed here:")[2]


@pytest.mark.parametrize(
    ("layer", "words"),
    [({"units": 2, "weights": [[1.0, 2.0]]}, ("layers[1].weights", "2 rows")),
     ({"units": 1, "weights": [[1.0, 2.0, 3.0]]}, ("layers[1].weights", "of 2")),
     ({"units": 2, "bias": [1.0]}, ("layers[1].bias", "2 (units)"))],
)  # fmt: skip
def test_shapes_of_weights_and_bias(layer: dict[str, Any], words: tuple[str, ...]) -> None:
    spec = make_spec(layers=[{"activation": "tanh", **layer}, {"activation": "sigmoid"}])
    with pytest.raises(SpecError) as caught:
        load_problem(spec)
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize(
    ("layers", "loss", "words"),
    [([{"activation": "tanh"}], "binary_entropy", ("training.loss", "tanh", "mse")),
     ([{"activation": "sigmoid"}], "cross_entropy", ("training.loss", "softmax")),
     ([{"activation": "linear", "units": 2}], None, ("2 units", "1 target"))],
)  # fmt: skip
def test_what_does_not_go_together(
    layers: list[dict[str, Any]], loss: str | None, words: tuple[str, ...]
) -> None:
    spec = make_spec(layers=layers, **({"loss": loss} if loss else {}))
    with pytest.raises(SpecError) as caught:
        load_problem(spec)
    assert all(word in str(caught.value) for word in words)
