"""The inputs of two workbooks side by side: which of them differ."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sheetnet.data import Label
from sheetnet.differences import Difference, Inputs, Value
from sheetnet.problem import Problem
from sheetnet.reader.workbook import Book
from sheetnet.regions import DATA, Region, address


def compare_inputs(a: Book, b: Book) -> Inputs:
    """Compare what ``Config``, ``Data`` and ``Init`` hold."""
    ours, theirs = a.problem, b.problem
    same_columns = _columns(ours) == _columns(theirs)
    return Inputs(
        structure=tuple(_unequal(_structure(ours), _structure(theirs))),
        hyperparameters=tuple(_unequal(ours.hyperparameters, theirs.hyperparameters)),
        data=tuple(_data(a, b)) if same_columns else (),
        weights=tuple(_weights(a, b)),
    )


def shape_of(problem: Problem) -> tuple[int, ...]:
    """The sizes of the layers, the inputs first."""
    return problem.network.inputs, *(layer.units for layer in problem.network.layers)


def _columns(problem: Problem) -> tuple[object, ...]:
    table = problem.table
    return table.input_names, table.target_names, table.labels is None


def _structure(problem: Problem) -> dict[str, Value]:
    """All that is fixed at export, by name."""
    spec, network, table = problem.spec, problem.network, problem.table
    found: dict[str, Value] = {
        "network": "-".join(map(str, shape_of(problem))),
        "inputs": ", ".join(table.input_names),
        "targets": ", ".join(table.target_names),
        "classes": None if problem.classes is None else ", ".join(map(str, problem.classes)),
        "rows": problem.rows,
        "held_out": problem.held_out,
        "scale": spec.data.scale,
        "target_scale": spec.data.target_scale,
    }
    for layer in network.layers:
        where = f"layer {layer.index}"
        found[f"{where} activation"] = layer.activation.name
        found[f"{where} train_bias"] = layer.train_bias
        found[f"{where} dropout"] = layer.dropout
    training = spec.training
    found |= {
        "loss": network.loss.name,
        "optimizer": network.optimizer.name,
        "epochs": training.epochs,
        "batch_size": training.batch_size,
        "shuffle": training.shuffle,
    }
    window = problem.window
    if window is not None:
        found["from_visit"], found["visits"] = window.first, window.visits
        if network.stops:
            found["stopped_after"] = window.stopped_after
    if training.shuffle or any(layer.dropout for layer in network.layers):
        found["seed"] = training.seed  # what is drawn from it stands in the ledger
    return found


def _unequal(
    a: dict[str, Value] | dict[str, float], b: dict[str, Value] | dict[str, float]
) -> Iterator[Difference]:
    for name in {**a, **b}:
        ours, theirs = a.get(name), b.get(name)
        if ours != theirs:
            yield Difference(name, ours, theirs)


def _data(a: Book, b: Book) -> Iterator[Difference]:
    """Cells of the rows that both have: training rows with training rows, the others too."""
    ours, theirs = a.problem.table, b.problem.table
    layout = a.layout.data
    inputs, targets = layout.regions["raw inputs"], layout.regions["raw targets"]
    for first, second, count in (
        (0, 0, min(ours.training_rows, theirs.training_rows)),
        (ours.training_rows, theirs.training_rows, min(ours.held_out, theirs.held_out)),
    ):
        for n in range(count):
            i, j = first + n, second + n
            for c, name in enumerate(ours.input_names):
                yield from _cell(inputs, i, c, name, ours.inputs[i, c], theirs.inputs[j, c])
            if ours.labels is not None and theirs.labels is not None:
                yield from _cell(
                    targets, i, 0, ours.target_names[0], ours.labels[i], theirs.labels[j]
                )
            elif ours.targets is not None and theirs.targets is not None:
                for c, name in enumerate(ours.target_names):
                    yield from _cell(targets, i, c, name, ours.targets[i, c], theirs.targets[j, c])


def _cell(
    region: Region, row: int, column: int, name: str, a: Label, b: Label
) -> Iterator[Difference]:
    if a != b:
        cell = f"{DATA}!{address(region.row + row, region.column + column)}"
        yield Difference(name, _plain(a), _plain(b), cell)


def _plain(value: Label) -> Value:
    if isinstance(value, str):
        return value
    number = float(value)
    return number if math.isfinite(number) else str(number)


def _weights(a: Book, b: Book) -> Iterator[Difference]:
    """Weights and biases of the layers that have the same size in both."""
    ours, theirs = a.problem, b.problem
    layout = a.layout.init
    for layer, other in zip(ours.network.layers, theirs.network.layers, strict=False):
        if (layer.units, layer.inputs) != (other.units, other.inputs):
            continue
        n = layer.index - 1
        for region, mine, others, name in (
            (layout.weights(layer), ours.weights[n], theirs.weights[n], f"W{layer.index}"),
            (
                layout.bias(layer),
                ours.biases[n][:, None],
                theirs.biases[n][:, None],
                f"b{layer.index}",
            ),
        ):
            for j, i in zip(*(mine != others).nonzero(), strict=True):
                index = f"{j + 1},{i + 1}" if name.startswith("W") else f"{j + 1}"
                cell = f"{region.sheet}!{address(region.row + int(j), region.column + int(i))}"
                yield Difference(f"{name}[{index}]", float(mine[j, i]), float(others[j, i]), cell)
    yield from _state(a, b)


def _state(a: Book, b: Book) -> Iterator[Difference]:
    """What windows start from besides, where both have it."""
    ours, theirs = a.problem.window, b.problem.window
    if ours is None or theirs is None:
        return
    for block in a.layout.init.carried:
        mine, others = ours.carried[block.name], theirs.carried.get(block.name)
        if others is None or others.shape != mine.shape:
            continue
        region = a.layout.init.state[block.name]
        pairs = zip(block.labels, mine.ravel().tolist(), others.ravel().tolist(), strict=True)
        for n, (label, x, y) in enumerate(pairs):
            if x != y:
                row, column = divmod(n, region.columns)
                cell = f"{region.sheet}!{address(region.row + row, region.column + column)}"
                yield Difference(label, x, y, cell)
