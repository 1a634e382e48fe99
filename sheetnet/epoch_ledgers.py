"""The columns of ``Epochs`` and ``Validation``: ledgers like the one of the training.

``Epochs`` has a row per epoch: what is said of it as a whole, and the weights that it
reached. ``Validation`` has a row per epoch and held-out row: the forward pass with the
weights reached, dropout off.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from sheetnet.concepts.stopping import STOPPED, judgements
from sheetnet.concepts.summaries import GRADIENT_NORM, MEAN_LOSS
from sheetnet.ledger import Ledger, LedgerBuilder, add_forward, ledger_of
from sheetnet.network import Network

VALIDATION = "val_"
"""The prefix of what is said of the held-out rows: ``val_loss``."""

HELD_OUT_PLACE = ("epoch", "sample")


@dataclass(frozen=True)
class Ledgers:
    """The ledgers of a run; ``validation`` is None where no rows are held out."""

    train: Ledger
    epochs: Ledger
    validation: Ledger | None


def ledgers_of(network: Network) -> Ledgers:
    """Lay out the columns of all ledgers."""
    validation = validation_ledger_of(network) if network.validates else None
    return Ledgers(ledger_of(network), epochs_ledger_of(network), validation)


def without_dropout(network: Network) -> Network:
    """The network as it predicts."""
    layers = tuple(dataclasses.replace(layer, dropout=False) for layer in network.layers)
    return dataclasses.replace(network, layers=layers)


def summary_names(network: Network) -> Iterator[tuple[str, tuple[int, ...]]]:
    """What is said both of the training rows and of the held-out ones: (name, shape)."""
    measure = network.measure
    yield MEAN_LOSS, ()
    if measure.adds_up:
        yield measure.summary.name, (network.outputs,)
    yield measure.name, ()


def epochs_ledger_of(network: Network) -> Ledger:
    """Lay out ``Epochs``."""
    build = LedgerBuilder()
    build.add("epoch", "place")
    for name, shape in summary_names(network):
        build.add(name, "summary", shape)
    if not network.compact:
        build.add(GRADIENT_NORM, "gradient", (len(network.layers),))
    if network.validates:
        for name, shape in summary_names(network):
            build.add(f"{VALIDATION}{name}", "validation", shape)
        for judgement in judgements(stops=network.stops):
            build.add(judgement.name, "flag" if judgement.flag else "validation")
    for layer in network.layers:
        build.add("W", "weight", (layer.units, layer.inputs), layer.index)
        build.add("b", "bias", (layer.units,), layer.index)
    return build.ledger


def validation_ledger_of(network: Network) -> Ledger:
    """Lay out ``Validation``."""
    build = LedgerBuilder()
    for name in HELD_OUT_PLACE:
        build.add(name, "place")
    if network.stops:
        build.add(STOPPED, "flag")
    build.add("x", "input", (network.inputs,))
    build.add("y", "target", (network.outputs,))
    for layer in without_dropout(network).layers:
        add_forward(build, layer)
    build.add("loss", "loss")
    return build.ledger
