"""Spec and table together: the network in full, the numbers it sees, its first weights.

Everything that has to fit is checked here, before anything is trained or written.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sheetnet.concepts.activations import ACTIVATIONS
from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.clipping import CLIP, CLIP_NORM, CLIPS
from sheetnet.concepts.dropout import rate_name, rate_of
from sheetnet.concepts.hyperparameters import Hyperparameter
from sheetnet.concepts.losses import LOSSES, Loss
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.concepts.scaling import SCALINGS, Scaling
from sheetnet.concepts.stopping import MIN_DELTA, PATIENCE
from sheetnet.concepts.summaries import measure_of
from sheetnet.data import Label, Table, load_rows, split_by_share
from sheetnet.errors import DataError, SpecError
from sheetnet.given import first_weights
from sheetnet.network import Layer, Network
from sheetnet.spec import Spec
from sheetnet.window import Window

MAX_PARAMETERS = 10_000_000
"""Far more than a sheet can show; keeps memory in bounds before the sheet's are checked."""


LARGEST_CLASS = 1e307
"""Of a number that is a class: beyond it some applications compare wrongly."""

SAME_NUMBER = 1e-15
"""Numbers closer than this are equal to some applications (IronCalc: 2.2e-16), and so are those
with the same 15 digits (Excel)."""


@dataclass(frozen=True)
class Scaled:
    """Columns as the network sees them.

    ``raw`` and ``values`` have shape (rows, columns), each statistic (columns,).
    """

    scaling: Scaling
    raw: Array
    statistics: Mapping[str, Array]
    values: Array


@dataclass(frozen=True)
class Problem:
    """A run that can be trained.

    Attributes
    ----------
    spec: the spec with everything filled in that followed from the table.
    classes: what the coded outputs stand for, sorted; None where targets are numbers.
    inputs, targets: shapes (rows, inputs) and (rows, outputs).
    weights, biases: the first weights, per layer (units, inputs) and (units,).
    window: the part of the training that is meant; None: all of it.

    """

    spec: Spec
    table: Table
    network: Network
    classes: tuple[Label, ...] | None
    inputs: Scaled
    targets: Scaled
    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    window: Window | None = None

    @property
    def hyperparameters(self) -> dict[str, float]:
        """Every number that has an input cell on Config, by its defined name."""
        rates = {
            rate_name(index): layer.dropout
            for index, layer in enumerate(self.spec.layers, 1)
            if layer.dropout is not None
        }
        return {**self.spec.training.hyperparameters, **rates}

    @property
    def changeable(self) -> tuple[Hyperparameter, ...]:
        """What is known of each of :attr:`hyperparameters`, in the same order."""
        asked = (*CLIPS, PATIENCE, MIN_DELTA)
        known = {h.name: h for h in (*self.network.optimizer.hyperparameters, *asked)}
        rates = {rate_name(layer.index): rate_of(layer.index) for layer in self.network.layers}
        return tuple({**known, **rates}[name] for name in self.hyperparameters)

    @property
    def rows(self) -> int:
        """Training rows."""
        return self.table.training_rows

    @property
    def held_out(self) -> int:
        """Rows for validation only; they stand behind the training rows."""
        return self.table.held_out

    @property
    def visits(self) -> int:
        """Rows of the ledger."""
        return self.window.visits if self.window else self.rows * self.spec.training.epochs

    @property
    def first_visit(self) -> int:
        """The visit in its first row, from 1."""
        return self.window.first if self.window else 1


def load_problem(spec: Spec) -> Problem:
    """Read the data of a spec, hold out rows for validation, and put all together."""
    return assemble(spec, split_by_share(load_rows(spec), spec.data.validation, spec.training.seed))


def assemble(spec: Spec, table: Table, classes: tuple[Label, ...] | None = None) -> Problem:
    """Fill in what follows from the table and check that all of it fits.

    ``classes`` gives the coding; by default the sorted labels of the table.
    """
    if table.labels is not None and classes is None:
        classes = tuple(
            sorted(set(table.labels), key=lambda label: (isinstance(label, str), label))
        )
    outputs = _outputs(spec, table, classes)
    network = _network(spec, table, outputs)
    parameters = sum(layer.units * (layer.inputs + 1) for layer in network.layers)
    if parameters > MAX_PARAMETERS:
        raise SpecError(
            f"the network {network.brief} has {parameters} weights and biases; "
            f"allowed: {MAX_PARAMETERS}"
        )
    inputs = _scaled(
        "data.scale", spec.data.scale, table.inputs, table.input_names, table.training_rows
    )
    targets = _targets(spec, table, classes, outputs)
    _check_targets(network.loss, targets.values, table)
    weights, biases = first_weights(spec, network)
    layers = tuple(
        dataclasses.replace(layer, units=made.units)
        for layer, made in zip(spec.layers, network.layers, strict=True)
    )
    training = dataclasses.replace(spec.training, loss=network.loss.name)
    resolved = dataclasses.replace(spec, layers=layers, training=training)
    return Problem(resolved, table, network, classes, inputs, targets, weights, biases)


def _outputs(spec: Spec, table: Table, classes: tuple[Label, ...] | None) -> int:
    """Units of the last layer, from the target."""
    last = spec.layers[-1]
    if classes is None:
        needed = len(table.target_names)
        if last.units not in (None, needed):
            raise SpecError(
                f"the last layer has {last.units} units, but there are {needed} target columns "
                f"({', '.join(table.target_names)})"
            )
        return needed
    name, count = table.target_names[0], len(classes)
    if count < 2:
        raise DataError(f"target {name!r} has one class only ({classes[0]!r}): two are needed")
    _check_apart(name, classes)
    if ACTIVATIONS[last.activation].coupled:
        if last.units not in (None, count):
            raise SpecError(
                f"the last layer has {last.units} units, but {name!r} has {count} classes"
            )
        return count
    units = last.units if last.units is not None else 1
    if units == count or (units == 1 and count == 2):
        return units
    raise SpecError(
        f"target {name!r} has {count} classes, which {units} {last.activation} "
        f"unit{'s' if units > 1 else ''} cannot tell apart: use softmax with {count} units"
    )


def _check_apart(name: str, classes: tuple[Label, ...]) -> None:
    """Raise DataError for classes of numbers that a spreadsheet cannot tell apart."""
    numbers = sorted(label for label in classes if not isinstance(label, str))
    for a in numbers:
        if abs(a) > LARGEST_CLASS:
            raise DataError(
                f"target {name!r} has the class {a!r}: a sheet compares numbers up to "
                f"{LARGEST_CLASS:g}"
            )
    for a, b in itertools.pairwise(numbers):
        if b - a < SAME_NUMBER or f"{a:.14e}" == f"{b:.14e}":
            raise DataError(
                f"target {name!r} has the classes {a!r} and {b!r}, which a sheet takes for the "
                "same (it compares 15 digits): other numbers, or texts, are needed"
            )


def _network(spec: Spec, table: Table, outputs: int) -> Network:
    layers = []
    inputs = len(table.input_names)
    for index, layer in enumerate(spec.layers, 1):
        units = outputs if index == len(spec.layers) else layer.units
        assert units is not None  # spec.py lets only the last layer leave it out
        activation = ACTIVATIONS[layer.activation]
        dropout = layer.dropout is not None
        layers.append(Layer(index, units, inputs, activation, layer.train_bias, dropout))
        inputs = units
    last = layers[-1].activation
    loss = LOSSES[spec.training.loss or last.default_loss]
    if not loss.suits(last.name):
        fitting = [name for name, other in LOSSES.items() if other.suits(last.name)]
        raise SpecError(
            f"training.loss {loss.name!r} does not go with a last layer of {last.name}: "
            f"{loss.name} goes with {', '.join(loss.goes_with or ())}, "
            f"{last.name} with {', '.join(fitting)}"
        )
    if last.coupled and outputs == 1:
        raise SpecError(
            f"{last.name} over 1 unit is always 1: use sigmoid, or one unit for each class"
        )
    return Network(
        len(table.input_names),
        tuple(layers),
        loss,
        OPTIMIZERS[spec.training.optimizer],
        batches=spec.training.batch_size > 1,
        clips=CLIP.name in spec.training.hyperparameters,
        clips_norm=CLIP_NORM.name in spec.training.hyperparameters,
        validates=table.held_out > 0,
        stops=PATIENCE.name in spec.training.hyperparameters,
        measure=measure_of(targets=loss.targets, classes=table.labels is not None, outputs=outputs),
    )


def _scaled(
    key: str, name: str, raw: Array, columns: tuple[str, ...], training_rows: int
) -> Scaled:
    """Scale all rows by statistics of the training rows."""
    scaling = SCALINGS[name]
    statistics: dict[str, Array] = {}
    with np.errstate(all="ignore"):
        each: list[dict[str, float]] = []
        for column in np.ascontiguousarray(raw[:training_rows].T):
            known: dict[str, float] = {}
            for statistic in scaling.statistics:
                known[statistic.name] = statistic.value(column, known)
            each.append(known)
        for statistic in scaling.statistics:
            statistics[statistic.name] = np.array([known[statistic.name] for known in each])
        values = scaling.value(raw, statistics)
    for k, column_name in enumerate(columns):
        known_finite = all(np.isfinite(held[k]) for held in statistics.values())
        if not (known_finite and np.isfinite(values[:, k]).all()):
            raise DataError(
                f"{key} = {name!r} does not give finite numbers for column {column_name!r} "
                f"(its values reach from {raw[:, k].min():g} to {raw[:, k].max():g})"
            )
    return Scaled(scaling, raw, statistics, values)


def encode(labels: tuple[Label, ...], classes: tuple[Label, ...], outputs: int) -> Array:
    """Code labels: 0/1 for two classes on one output, else one-hot; (rows, outputs)."""
    positive = classes[1:] if outputs == 1 else classes
    return np.array([[1.0 if label == c else 0.0 for c in positive] for label in labels])


def _targets(spec: Spec, table: Table, classes: tuple[Label, ...] | None, outputs: int) -> Scaled:
    if classes is None:
        assert table.targets is not None
        return _scaled(
            "data.target_scale",
            spec.data.target_scale,
            table.targets,
            table.target_names,
            table.training_rows,
        )
    if spec.data.target_scale != "none":
        raise SpecError(
            f"data.target_scale is {spec.data.target_scale!r}, but the target "
            f"{table.target_names[0]!r} is a class: scaling is for numbers"
        )
    assert table.labels is not None
    strange = [label for label in table.labels if label not in classes]
    if strange:
        raise DataError(
            f"target {table.target_names[0]!r} holds {strange[0]!r}; "
            f"its classes are: {', '.join(map(str, classes))}"
        )
    coded = encode(table.labels, classes, outputs)
    return Scaled(SCALINGS["none"], coded, {}, coded)


def _check_targets(loss: Loss, y: Array, table: Table) -> None:
    if loss.targets == "any":
        return
    outside = (y < 0) | (y > 1)
    if outside.any():
        row, k = map(int, np.argwhere(outside)[0])
        name = table.target_names[k if len(table.target_names) > 1 else 0]
        raise DataError(
            f"{loss.name} needs targets from 0 to 1, but {name!r} gives {y[row, k]:g} "
            f"in data row {table.source_row(row)}: use loss mse, or other targets"
        )
    if loss.targets == "shares":
        uneven = np.abs(y.sum(axis=1) - 1) > 1e-9
        if uneven.any():
            row = int(np.argmax(uneven))
            raise DataError(
                f"{loss.name} needs targets that add up to 1, but data row "
                f"{table.source_row(row)} adds up to {y[row].sum():g}"
            )
