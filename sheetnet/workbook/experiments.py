"""Three things to try in the workbook, fitting the spec."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from sheetnet.concepts.clipping import CLIPS
from sheetnet.concepts.dropout import rate_name
from sheetnet.concepts.optimizers import LEARNING_RATE
from sheetnet.concepts.stopping import PATIENCE
from sheetnet.problem import Problem
from sheetnet.regions import EPOCHS, TRAIN

COUNT = 3

DEEP = 3
"""With more layers than this the way of the gradients is worth a look."""


def experiments(problem: Problem, sheets: Collection[str]) -> tuple[str, ...]:
    """What to change, where, and what to look at: the learning rate, then what is special.

    They name none but the sheets that are there.
    """
    by_epoch = EPOCHS in sheets
    where = EPOCHS if by_epoch else TRAIN
    rate = problem.hyperparameters[LEARNING_RATE.name]
    first = (
        f"Set {LEARNING_RATE.name} on Config to {10 * rate:g}, ten times as much, then to "
        f"{rate / 10:g}, a tenth: where does the loss on {where} fall faster, and if it grows or "
        "turns into errors, at which visit on Train does that begin?"
    )
    return (first, *_special(problem, by_epoch=by_epoch))[:COUNT]


def _special(problem: Problem, *, by_epoch: bool) -> Iterator[str]:
    yield from _of_training(problem, by_epoch=by_epoch)
    yield from _of_layers(problem, by_epoch=by_epoch)
    name = problem.table.input_names[0]
    others = "" if problem.spec.data.scale == "none" else " (and move the scaling of all others)"
    yield (
        f"Type an absurd number for {name} into the first row of Data: how far does this one "
        f"sample pull the weights at its visits on Train{others}, and how long do they need to "
        "recover?"
    )
    yield (
        "On Init, start from quite other weights, all 3, say: does the last row of Train come to "
        "the same weights, and if not, which of them are still on their way?"
    )


def _of_training(problem: Problem, *, by_epoch: bool) -> Iterator[str]:
    """What the spec adds to plain descent."""
    network, given = problem.network, problem.hyperparameters
    if network.stops and by_epoch:
        yield (
            f"Set {PATIENCE.name} on Config to 1, then to {problem.spec.training.epochs}: after "
            "which epoch does training end, and what has become of the validation loss by then?"
        )
    for layer in network.layers:
        if layer.dropout:
            yield (
                f"Set {rate_name(layer.index)} on Config to 0: all masks k{layer.index} on Train "
                f"become 1. How do the losses on {EPOCHS if by_epoch else TRAIN} change?"
            )
            break
    for clip in CLIPS:
        if clip.name in given:
            yield (
                f"Set {clip.name} on Config to 1000000, as good as no limit: how large do the "
                "updates on Train become, and what happens to the loss?"
            )
            break
    if network.validates and by_epoch:
        yield (
            "Type a wrong target into one training row of Data (a row that is not shaded): which "
            "of the two losses on Epochs suffers more, and do both still fall?"
        )
    others = [h for h in network.optimizer.hyperparameters if h.name != LEARNING_RATE.name]
    if others and others[0].default > 0:
        name = others[0].name
        yield f"Set {name} on Config to 0: does the loss fall faster or more slowly than before?"


def _of_layers(problem: Problem, *, by_epoch: bool) -> Iterator[str]:
    layers = problem.network.layers
    if len(layers) > DEEP and by_epoch and not problem.network.compact:
        yield (
            f"On Epochs, compare the gradient norms of layer {len(layers)} and layer 1: by which "
            "factor does each layer in between shrink or grow them? Double all weights of layer 2 "
            "on Init: how do the layers before it react?"
        )
    if len(layers) == 1:
        return
    slope = layers[0].activation.slope
    if slope is not None and slope(np.array([-1.0]), np.array([0.0]))[0] == 0:
        yield (
            "On Init, set the bias of unit 1 in layer 1 to -1000: its output a1[1] on Train is 0 "
            "for every sample. What are its gradients, and can it ever come back to life?"
        )
    if layers[0].units > 1:
        yield (
            "On Init, give units 1 and 2 of layer 1 the same weights and bias: do they stay alike "
            "on Train? And if they also have the same weights in layer 2?"
        )
