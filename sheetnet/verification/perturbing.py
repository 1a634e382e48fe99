"""Which inputs of a workbook liveness changes, and to what.

All numbers of ``Config``, ``Init`` and ``Data`` that a person may change, and the choices
of the views, are changed at once, each so that the training shows it and stays valid.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.dropout import rate_name
from sheetnet.concepts.hyperparameters import Hyperparameter
from sheetnet.data import Label, Table
from sheetnet.engine import first_divergence
from sheetnet.epoch_ledgers import Ledgers
from sheetnet.errors import SheetnetError
from sheetnet.problem import Problem, assemble
from sheetnet.verification.areas import Trained

VISIBLE = 1e-3
"""By how much of its column's size some cell must move: far more than any tolerance."""

STRENGTHS = (0.1, 0.01, 1e-3)
"""The largest share of a weight or a value of the data by which it moves."""

FACTORS = (0.9, 1.1, 0.5, 2.0, 0.1, 10.0, 0.01, 100.0, 1e-3, 1e3, 1e6)
"""What a number of ``Config`` is multiplied with: the first one that shows is taken."""

FROM_ZERO = (0.01, 0.1, 1.0, 1e-3)
"""What a 0 becomes."""

_GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Moved:
    """A problem with other inputs, and the names of those that could not be changed.

    ``alone`` are further problems with one number of ``Config`` changed each: those that
    the training does not show where the others are changed too.
    """

    problem: Problem
    alone: tuple[Problem, ...]
    left: tuple[str, ...]


def moved(problem: Problem, ledgers: Ledgers, trained: Trained) -> Moved:
    """Change all that can be changed; ``trained`` is the training of the problem as it is."""
    search = _Search(problem, ledgers, trained)
    now, last, left = search.data_and_weights()
    for known in problem.changeable:
        found = search.visible(now, last, known)
        if found is None:
            left.append(known.name)
        else:
            now, last = found
    alone = []
    for known in problem.changeable:
        if known.name in left:
            continue
        name = known.name
        without = search.trained(with_number(now, name, problem.hyperparameters[name]))
        if without is not None and _apart(without, last) < VISIBLE:
            found = search.visible(problem, trained, known)
            if found is None:
                left.append(name)
            else:
                alone.append(found[0])
    for known in problem.changeable:
        found = search.visible(problem, trained, known) if known.name in left else None
        if found is not None:
            left.remove(known.name)
            alone.append(found[0])
    return Moved(now, tuple(alone), tuple(left))


def with_number(problem: Problem, name: str, value: float) -> Problem:
    """Another number on ``Config``; raises :class:`SheetnetError` where it does not fit."""
    spec = problem.spec
    if name in spec.training.hyperparameters:
        numbers = {**spec.training.hyperparameters, name: value}
        training = dataclasses.replace(spec.training, hyperparameters=numbers)
        return dataclasses.replace(problem, spec=dataclasses.replace(spec, training=training))
    layers = tuple(
        dataclasses.replace(layer, dropout=value) if rate_name(n) == name else layer
        for n, layer in enumerate(spec.layers, 1)
    )
    return dataclasses.replace(problem, spec=dataclasses.replace(spec, layers=layers))


@dataclass(frozen=True)
class _Search:
    """Tries inputs in Python: what may be typed, what the training shows."""

    base: Problem
    ledgers: Ledgers
    start: Trained

    def trained(self, problem: Problem) -> Trained | None:
        """The training; None where it diverges, and the workbook's own does not."""
        found = Trained.of(problem, self.ledgers)
        if first_divergence(self.start.train) is None and first_divergence(found.train):
            return None
        return found

    def data_and_weights(self) -> tuple[Problem, Trained, list[str]]:
        """As many of them changed as fit, as much as fits."""
        names = ("inputs", "targets", "weights")
        sets = (names, names[:1] + names[2:], names[1:], names[2:], names[:1], names[1:2])
        for chosen in sets:
            for strength in STRENGTHS:
                try:
                    problem = _changed(self.base, chosen, strength)
                except SheetnetError:
                    continue
                found = self.trained(problem)
                if found is not None and _apart(self.start, found) >= VISIBLE / 10:
                    return problem, found, [name for name in names if name not in chosen]
        return self.base, self.start, list(names)

    def visible(
        self, problem: Problem, trained: Trained, known: Hyperparameter
    ) -> tuple[Problem, Trained] | None:
        """The problem with another number, the first one that the training shows."""
        for value in _candidates(known, problem.hyperparameters[known.name]):
            changed = with_number(problem, known.name, value)
            found = self.trained(changed)
            if found is not None and _apart(trained, found) >= VISIBLE:
                return changed, found
        return None


def _candidates(known: Hyperparameter, value: float) -> Iterator[float]:
    """Other values that may stand there, near ones first."""
    if known.whole:
        tried = [value + 1, value - 1]
        while tried[-1] > 1:
            tried.append(tried[-1] // 2)
        tried += [2 * value, 4 * value]
    else:
        tried = [value * factor for factor in FACTORS] if value else list(FROM_ZERO)
    high = np.inf if known.high is None else known.high
    yield from (other for other in tried if known.low <= other <= high and other != value)


def _apart(a: Trained, b: Trained) -> float:
    """The largest difference of two trainings, over the largest magnitude of its column."""
    return max(_distance(a.train, b.train), _distance(a.epochs, b.epochs))


def _distance(a: Array, b: Array) -> float:
    ours, theirs = np.isfinite(a), np.isfinite(b)
    if (ours != theirs).any():
        return np.inf
    size = np.max(np.where(ours, np.abs(a), 0.0), axis=0, initial=0.0)
    with np.errstate(all="ignore"):
        apart = np.where(ours, np.abs(a - b), 0.0) / np.where(size > 0, size, 1.0)
    return float(np.max(apart, initial=0.0))


def shifted(values: Array, strength: float) -> Array:
    """Each number a little nearer to 0, those at 0 a little away from it: (rows, columns).

    No two by the same share: what is scaled would not notice that.
    """
    shares = strength * _shares(values.size).reshape(values.shape)
    size = np.max(np.abs(values), axis=0)
    away = shares * np.where(size > 0, size, 1.0)
    return np.where(values == 0, away, values * (1 - shares))


def _shares(count: int) -> Array:
    """Numbers from 0.5 to 1, all different."""
    fractions: Array = np.modf(np.arange(1, count + 1) * _GOLDEN)[0]
    return 0.5 + 0.5 * fractions


def _changed(problem: Problem, chosen: tuple[str, ...], strength: float) -> Problem:
    """Other weights, inputs or targets; raises :class:`SheetnetError` where they do not fit."""
    spec, table = problem.spec, problem.table
    if "weights" in chosen:
        layers = []
        for layer, w, b in zip(spec.layers, problem.weights, problem.biases, strict=True):
            both = shifted(np.column_stack((w, b)).reshape(-1, 1), strength).reshape(len(b), -1)
            weights, bias = tuple(map(tuple, both[:, :-1].tolist())), tuple(both[:, -1].tolist())
            layers.append(dataclasses.replace(layer, weights=weights, bias=bias))
        spec = dataclasses.replace(spec, layers=tuple(layers))
    if "inputs" in chosen:
        table = dataclasses.replace(table, inputs=shifted(table.inputs, strength))
    if "targets" in chosen and table.targets is not None:
        table = dataclasses.replace(table, targets=_other_targets(problem, strength))
    if "targets" in chosen and table.labels is not None:
        table = dataclasses.replace(table, labels=_other_labels(problem, table))
    made = assemble(spec, table, problem.classes)
    return dataclasses.replace(made, network=problem.network, window=problem.window)


def _other_targets(problem: Problem, strength: float) -> Array:
    """Where they are bounded, each row a little nearer to the mean of the rows."""
    targets = problem.table.targets
    assert targets is not None
    if problem.network.loss.targets == "any":
        return shifted(targets, strength)
    mean = targets[: problem.rows].mean(axis=0)
    share = strength * _shares(len(targets))[:, None]
    nearer = targets + share * (mean - targets)
    single = targets.shape[1] == 1
    return np.where(nearer == targets, shifted(targets, strength), nearer) if single else nearer


def _other_labels(problem: Problem, table: Table) -> tuple[Label, ...]:
    """Of each row the next class."""
    assert problem.classes is not None and table.labels is not None
    after = dict(zip(problem.classes, problem.classes[1:] + problem.classes[:1], strict=True))
    return tuple(after[label] for label in table.labels)
