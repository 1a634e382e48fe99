"""Three things to try in the workbook, fitting the spec."""

from __future__ import annotations

from collections.abc import Iterator

from sheetnet.concepts.clipping import CLIPS
from sheetnet.concepts.dropout import rate_name
from sheetnet.concepts.optimizers import LEARNING_RATE
from sheetnet.concepts.stopping import PATIENCE
from sheetnet.problem import Problem

COUNT = 3


def experiments(problem: Problem) -> tuple[str, ...]:
    """What to change, where, and what to look at: the learning rate, then what is special."""
    rate = problem.hyperparameters[LEARNING_RATE.name]
    first = (
        f"Set {LEARNING_RATE.name} on Config to {10 * rate:g}, ten times as much: does the loss on "
        "Epochs still fall, and if not, at which visit on Train does it begin to grow?"
    )
    return (first, *_special(problem))[:COUNT]


def _special(problem: Problem) -> Iterator[str]:
    network, given = problem.network, problem.hyperparameters
    if network.stops:
        yield (
            f"Set {PATIENCE.name} on Config to 1, then to {problem.spec.training.epochs}: after "
            "which epoch does training end, and what has become of the validation loss by then?"
        )
    for layer in network.layers:
        if layer.dropout:
            yield (
                f"Set {rate_name(layer.index)} on Config to 0: all masks k{layer.index} on Train "
                "become 1. How do the training and the validation loss change?"
            )
            break
    for clip in CLIPS:
        if clip.name in given:
            yield (
                f"Set {clip.name} on Config to 1000000, as good as no limit: how large do the "
                "updates on Train become, and what happens to the loss?"
            )
            break
    others = [h for h in network.optimizer.hyperparameters if h.name != LEARNING_RATE.name]
    if others and others[0].default > 0:
        name = others[0].name
        yield f"Set {name} on Config to 0: does the loss fall faster or more slowly than before?"
    if len(network.layers) > 1:
        yield (
            "On Init, give all units of layer 1 the same weights and biases: can they ever become "
            "different again? Compare their columns on Train."
        )
    name = problem.table.input_names[0]
    yield (
        f"Type an absurd number for {name} into the first row of Data: how far does this one "
        "sample pull the weights at its visit on Train, and how long does it take to recover?"
    )
    yield "On Init, set all weights to 0: which gradients of the first visit on Train are 0 now?"
