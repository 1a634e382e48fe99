"""How the quantities of ``Epochs`` follow from the rows below them: the NumPy side.

Sums over an epoch's rows run in the order in which a sheet adds them, so that they may
be carried on from one block of rows to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from sheetnet.concepts import arithmetic, summaries
from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.parts import Quantities
from sheetnet.concepts.stopping import Judgement, judgements
from sheetnet.concepts.summaries import GRADIENT_NORM, MEAN_LOSS
from sheetnet.epoch_ledgers import VALIDATION
from sheetnet.network import Layer, Network
from sheetnet.pipeline import GRADIENT, parameters_of
from sheetnet.rules import Rule


@dataclass(frozen=True)
class Gathered:
    """A sum over an epoch's rows: ``terms`` (n, *shape) in order, then ``finish``.

    The terms are an array of its own, which the sum overwrites.

    It fills the quantity ``name``, or of that the one column ``into`` (from 0).
    """

    name: str
    terms: Callable[[Quantities], Array]
    finish: Callable[[Array, int, int], Array]
    into: int | None = None

    def add(self, total: Array | None, rows: Quantities) -> Array:
        """The sum carried on over further rows."""
        terms = self.terms(rows)
        if total is not None:
            terms[0] = total + terms[0]
        np.add.accumulate(terms, axis=0, out=terms)
        carried: Array = terms[-1].copy()  # else all terms are kept with it
        return carried

    def put(self, into: Mapping[str, Array], total: Array, rows: int, outputs: int) -> None:
        """Write the finished value into name -> (1, *shape)."""
        place = (0,) if self.into is None else (0, self.into)
        into[self.name][place] = self.finish(total, rows, outputs)


def training_sums(network: Network) -> tuple[Gathered, ...]:
    """What is gathered from an epoch's rows of ``Train``."""
    layers = () if network.compact else network.layers
    norms = (_gradient_norm(layer) for layer in layers)
    return (*_common(network, ""), *norms)


def validation_sums(network: Network) -> tuple[Gathered, ...]:
    """What is gathered from an epoch's rows of ``Validation``."""
    return _common(network, VALIDATION) if network.validates else ()


def _common(network: Network, prefix: str) -> tuple[Gathered, ...]:
    summary, last = network.measure.summary, len(network.layers)
    return (
        Gathered(f"{prefix}{MEAN_LOSS}", lambda q: summaries.loss_terms(q["loss"]), summaries.mean),
        Gathered(
            f"{prefix}{summary.name}",
            lambda q: summary.terms({"y": q["y"], "a": q[f"a{last}"]}),
            summary.finish,
        ),
    )


def _gradient_norm(layer: Layer) -> Gathered:
    names = [f"{GRADIENT}{base}{layer.index}" for base, _ in parameters_of(layer)]

    def terms(q: Quantities) -> Array:
        gradients = [q[name].reshape(len(q[name]), -1) for name in names]
        return summaries.squares(np.concatenate(gradients, axis=1)).reshape(-1)

    return Gathered(GRADIENT_NORM, terms, summaries.root_mean, layer.index - 1)


def epoch_rules(
    network: Network, hyperparameters: Mapping[str, float], rows: int, held_out: int
) -> tuple[Rule, ...]:
    """What follows within a row of ``Epochs`` from what was gathered, in order."""
    rules = []
    if network.measure.adds_up:
        rules.append(_share(network, "", rows))
        if network.validates:
            rules.append(_share(network, VALIDATION, held_out))
    if network.validates:
        rules += [_judged(j, hyperparameters) for j in judgements(stops=network.stops)]
    return tuple(rules)


def _share(network: Network, prefix: str, rows: int) -> Rule:
    measure = network.measure
    parts = f"{prefix}{measure.summary.name}"
    return Rule(f"{prefix}{measure.name}", lambda q: arithmetic.running_sum(q[parts]) / rows)


def _judged(judgement: Judgement, hyperparameters: Mapping[str, float]) -> Rule:
    numbers = {name: np.asarray(value) for name, value in hyperparameters.items()}
    return Rule(judgement.name, lambda q: judgement.value({**numbers, **q}), carried=True)


def starts(network: Network) -> dict[str, Array]:
    """What the judgements of the first epoch find before it."""
    if not network.validates:
        return {}
    return {j.name: np.asarray(j.start) for j in judgements(stops=network.stops)}
