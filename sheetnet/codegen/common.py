"""What scripts of all frameworks have in common: settings, first weights, epochs, results."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from sheetnet.codegen.library import needed
from sheetnet.codegen.writer import WIDTH, Writer, literal, names_in, quoted, renamed
from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.initializers import INITIALIZERS
from sheetnet.concepts.stopping import STOPPED, judgements
from sheetnet.network import Layer, Network
from sheetnet.problem import Problem
from sheetnet.randomness import UNIFORMS_CODE, WEIGHTS_CODE

LITERAL_WEIGHTS = 200
"""Weights of a layer that stand in the script as numbers; more are drawn there again."""


def headline(network: Network) -> str:
    """The network in one line that is not too long."""
    if len(network.label) <= WIDTH - 20:
        return network.label
    return (
        f"{len(network.layers)} layers from {network.inputs} inputs to {network.outputs} outputs; "
        f"{network.loss.name}; {network.optimizer.name}"
    )


def assembled(
    problem: Problem, framework: str, imports: Iterable[str], body: Writer, remarks: Sequence[str]
) -> str:
    """The whole script: head, imports, settings and functions that ``body`` needs, body.

    ``remarks`` are lines of comment at its head.
    """
    out = Writer()
    out.line(f'"""{headline(problem.network)}.')
    out.line()
    out.line(f"The training of one network in {framework}: it prints the mean loss of each epoch")
    out.line("and the final weights with all digits. Names are those of the columns in the")
    out.line("workbook that sheetnet exports from the same spec: W1, z1, a1, delta1, dW1, uW1 …")
    out.line('"""')
    out.line()
    out.note(f"The spec: {quoted(problem.spec.name)}")
    for remark in remarks:
        out.note(remark)
    out.line()
    functions = "\n\n\n".join(needed(problem.network, body.text))
    settings = Writer()
    _put_settings(settings, problem, body.text)
    everything = names_in(f"{functions}\n{body.text}")
    standard = {"csv": "import csv", "math": "import math", "Path": "from pathlib import Path"}
    head = [line for name, line in standard.items() if name in everything]
    for line in [*head, *([""] if head else []), *imports]:
        out.line(line)
    out.lines += ["", *settings.lines]
    if functions:
        out.gap()
        out.line(functions)
    if body.lines[0].startswith(("def ", "class ")):
        out.gap()
    out.lines += body.lines
    return out.text


def _put_settings(out: Writer, problem: Problem, body: str) -> None:
    used, training = names_in(body), problem.spec.training
    out.title("Settings")
    for known in problem.changeable:
        value = problem.hyperparameters[known.name]
        out.line(f"{known.name} = {int(value) if known.whole else value!r}", known.meaning)
    out.line(f"epochs = {training.epochs}")
    if "batch_size" in used:
        out.line(f"batch_size = {training.batch_size}", "samples for each update")
    if "seed" in used:
        out.line(f"seed = {training.seed}")


def drawn(problem: Problem) -> list[Layer]:
    """The layers whose first weights are too many to stand in the script, and were drawn."""
    return [
        layer
        for layer, given in zip(problem.network.layers, problem.spec.layers, strict=True)
        if given.weights is None and layer.units * layer.inputs > LITERAL_WEIGHTS
    ]


def put_draws(out: Writer, problem: Problem) -> None:
    """The functions that draw weights and the numbers of dropout."""
    if drawn(problem):
        record = INITIALIZERS[problem.spec.training.initializer]
        out.function(record.name, ["random", "units", "inputs"], record.maths, record.code)
    if any(layer.dropout for layer in problem.network.layers):
        doc = "Uniform numbers from 0 to 1, a row for each batch of an epoch."
        out.function("dropout_uniforms", ["batches", "units", "layer", "epoch"], doc, UNIFORMS_CODE)


def put_first_weights(out: Writer, problem: Problem) -> None:
    """``W1``, ``b1`` … before the first visit."""
    out.title("First weights: one row per unit, one column per input of the layer")
    again = drawn(problem)
    for layer, w, b in zip(problem.network.layers, problem.weights, problem.biases, strict=True):
        l = layer.index
        if layer in again:
            stream = renamed(WEIGHTS_CODE, {"layer": str(l)})
            name = problem.spec.training.initializer
            out.line(f"W{l} = {name}({stream}, {layer.units}, {layer.inputs})")
        elif layer.units == 1:
            out.items(f"W{l} = np.array([[", _numbers(w[0]), "]])")
        else:
            out.line(f"W{l} = np.array([")
            out.depth += 1
            for row in w:
                out.items("[", _numbers(row), "],")
            out.depth -= 1
            out.line("])")
        note = "" if layer.train_bias else "stays as it is"
        if not b.any():
            out.line(f"b{l} = np.zeros({layer.units})", note)
        else:
            if note:
                out.note(f"b{l} {note}.")
            out.items(f"b{l} = np.array([", _numbers(b), "])")


def _numbers(values: Array) -> Iterator[str]:
    return map(literal, values.tolist())


def put_judgement_starts(out: Writer, problem: Problem) -> None:
    """What the judgements of the first epoch find before it."""
    if not problem.network.validates:
        return
    asked: set[str] = set()
    for judgement in judgements(stops=problem.network.stops):
        asked |= names_in(judgement.code)
        if judgement.name in asked:  # before the epoch has given it
            start = "math.nan" if math.isnan(judgement.start) else f"{judgement.start:g}"
            out.line(f"{judgement.name} = {start}")


def put_judgements(out: Writer, problem: Problem) -> None:
    """What is said of an epoch from its ``val_loss``, and the end of training."""
    for judgement in judgements(stops=problem.network.stops):
        out.line(f"{judgement.name} = {judgement.code}", judgement.maths)
    with out.block("if best_epoch == epoch:"):
        out.line("best = weights()")
    if problem.network.stops:
        with out.block(f"if {STOPPED}:"):
            out.line('print(f"stopped_after = {epoch}")')
            out.line("break")


def put_epoch_line(out: Writer, problem: Problem) -> None:
    """Print the losses of an epoch."""
    also = ", val_loss {val_loss!r}" if problem.network.validates else ""
    out.line(f'print(f"epoch {{epoch}}: loss {{mean_loss!r}}{also}")')


def put_weights_function(out: Writer, entries: Iterable[str]) -> None:
    """``weights()``: name -> nested lists."""
    out.gap()
    with out.block("def weights():"):
        out.line('"""The weights as they are now, by name."""')
        with out.block("return {"):
            for entry in entries:
                out.line(f"{entry},")
        out.line("}")
    out.gap()


def put_results(out: Writer, problem: Problem) -> None:
    """Print the final weights, and those of the best epoch."""
    out.title("Results")
    with out.block("for name, values in weights().items():"):
        out.line('print(f"{name} = {values}")')
    if problem.network.validates:
        out.line('print(f"best_epoch = {best_epoch}")')
        with out.block("for name, values in best.items():"):
            out.line('print(f"best {name} = {values}")')
