"""What a gradient passes through on its way to the update, in order, for a network.

Plain sample-by-sample descent has nothing in between; batches, clipping and the
optimizer's slots each add theirs, and only where the spec asks for them.
"""

from __future__ import annotations

from dataclasses import dataclass

from sheetnet.concepts.batches import COUNT, MEAN, SUM
from sheetnet.concepts.clipping import CLIPPED, NORM, SHRINK, SHRUNK
from sheetnet.concepts.stages import Slot
from sheetnet.concepts.stopping import STOPPED
from sheetnet.network import Layer, Network

BATCH_PLACE = ("first", "last")
"""Flags (1 or 0) of a sample in its batch, there only where batches are."""

GRADIENT = "d"
"""The prefix of a row's own gradients: ``dW1``, ``db1``."""


@dataclass(frozen=True)
class Stage:
    """A slot at work: ``source`` is the prefix of the gradients that it sees."""

    slot: Slot
    source: str


def stages_of(network: Network) -> tuple[Stage, ...]:
    """All stages between the row's gradients and the updates."""
    stages: list[Stage] = []
    source = GRADIENT
    if network.batches:
        stages += [Stage(slot, source) for slot in (COUNT, SUM, MEAN)]
        source = MEAN.name
    if network.clips:
        stages.append(Stage(CLIPPED, source))
        source = CLIPPED.name
    if network.clips_norm:
        stages += [Stage(slot, source) for slot in (NORM, SHRINK, SHRUNK)]
        source = SHRUNK.name
    stages += [Stage(slot, source) for slot in network.optimizer.slots]
    return tuple(stages)


def last_source(network: Network) -> str:
    """The prefix of the gradients that the optimizer sees."""
    stages = stages_of(network)
    if network.optimizer.slots:
        return stages[-1].source
    mine = [stage.slot.name for stage in stages if not stage.slot.single]
    return mine[-1] if mine else GRADIENT


def parameters_of(layer: Layer) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The trained parameters of a layer: (base name, shape)."""
    weights = ("W", (layer.units, layer.inputs))
    return (weights, ("b", (layer.units,))) if layer.train_bias else (weights,)


def all_parameters(network: Network) -> tuple[str, ...]:
    """The names of all trained parameters, layer by layer: ``W1``, ``b1``, ``W2`` …"""
    return tuple(
        f"{base}{layer.index}" for layer in network.layers for base, _ in parameters_of(layer)
    )


def folded_of(network: Network) -> frozenset[str]:
    """What a compact workbook has no columns for: it is worked into the formulas that use it.

    These are a row's gradients and what is derived from them for each parameter, but for
    what is carried from row to row, and what the norm of all gradients takes as ranges.
    """
    if not network.compact:
        return frozenset()
    stages = stages_of(network)
    kept = {stage.source for stage in stages if stage.slot.sees_all}
    derived = [s.slot.name for s in stages if not (s.slot.single or s.slot.carried)]
    bases = [base for base in (GRADIENT, *derived) if base not in kept]
    return frozenset(f"{base}{name}" for base in bases for name in all_parameters(network))


def place_singles(network: Network) -> tuple[str, ...]:
    """What stands in front of a row and slots may see."""
    batch = BATCH_PLACE if network.batches else ()
    return ("update", *batch, *((STOPPED,) if network.stops else ()))


def single_names(network: Network) -> tuple[str, ...]:
    """All quantities that are there once a row and that slots may see."""
    own = tuple(stage.slot.name for stage in stages_of(network) if stage.slot.single)
    return (*place_singles(network), *own)
