"""What differs between a workbook's inputs now and at export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.data import Label
from sheetnet.data_layout import TRAINING_SET, VALIDATION_SET, DataLayout
from sheetnet.differences import Difference, Inputs, Value
from sheetnet.editing.heads import scale_of
from sheetnet.editing.past import Copies, Trained
from sheetnet.editing.rows import Rows
from sheetnet.editing.start import Start
from sheetnet.layout import CONFIG_VALUE
from sheetnet.problem import Problem
from sheetnet.randomness import dropout_uniforms, epoch_order
from sheetnet.reader.cells import where
from sheetnet.regions import CONFIG, DATA, INIT
from sheetnet.views.compare_past import decode


@dataclass(frozen=True)
class Then:
    """All that is known of a workbook at export."""

    network: str | None
    trained: Trained
    copies: Copies | None

    @property
    def total(self) -> int | None:
        """Rows of data, those held out among them."""
        return None if self.copies is None else len(self.copies.data)

    @property
    def sets(self) -> tuple[int, int] | None:
        """Rows in all, and those held out."""
        rows = self.trained.rows
        return None if self.total is None or rows is None else (self.total, self.total - rows)


def changes(
    then: Then, problem: Problem, rows: Rows, starts: tuple[Start, ...], keys: Mapping[str, int]
) -> Inputs:
    """What differs: ``a`` at export, ``b`` now; of what is not known nothing is said."""
    return Inputs(
        structure=tuple(_structure(then, problem, rows, keys)),
        hyperparameters=tuple(_numbers(then, problem, keys)),
        data=tuple(_data(then, rows)),
        weights=tuple(_weights(then, starts)),
    )


def _config(keys: Mapping[str, int], key: str) -> str | None:
    return where(CONFIG, keys[key], CONFIG_VALUE) if key in keys else None


def _structure(
    then: Then, problem: Problem, rows: Rows, keys: Mapping[str, int]
) -> Iterator[Difference]:
    """What is fixed at export."""
    trained, layout, spec = then.trained, rows.layout, problem.spec
    pairs: list[tuple[str, Value, Value]] = [
        ("network", then.network, problem.network.label),
        ("rows", trained.rows, problem.rows),
        ("held_out", None if then.sets is None else then.sets[1], problem.held_out),
        ("scale", scale_of(layout.input_statistics), spec.data.scale),
        ("target_scale", scale_of(layout.target_statistics), spec.data.target_scale),
        ("epochs", trained.epochs, spec.training.epochs),
    ]
    for name, before, now in pairs:
        if before is not None and before != now:
            yield Difference(name, before, now, _config(keys, name))
    count, batch = trained.rows, spec.training.batch_size
    if count is not None and trained.batch_size != min(batch, count):
        yield Difference("batch_size", trained.batch_size, batch, _config(keys, "batch_size"))
    for layer in problem.network.layers:
        if trained.biases is not None and then.network is not None:
            before = layer.index in trained.biases
            if before != layer.train_bias and layer.index <= len(then.network.split(", ")):
                yield Difference(f"layer {layer.index} train_bias", before, layer.train_bias)
    yield from _drawn(then, problem)


def _drawn(then: Then, problem: Problem) -> Iterator[Difference]:
    """What was drawn from the seed, where a training of the same size draws something else."""
    trained, training = then.trained, problem.spec.training
    if trained.rows != problem.rows:
        return
    order = epoch_order(problem.rows, 1, training.seed, shuffle=training.shuffle)
    if tuple(order.tolist()) != trained.order:
        yield Difference("order of visits", "as on Train", order_of(problem))
    if trained.batch_size != min(training.batch_size, problem.rows):
        return
    for layer in problem.network.layers:
        held = [value for (l, _), value in sorted(trained.uniforms.items()) if l == layer.index]
        if not layer.dropout or len(held) != layer.units:
            continue
        batches = -(-problem.rows // training.batch_size)
        drawn = dropout_uniforms(batches, layer.units, layer.index, 1, training.seed)
        if drawn[0].tolist() != held:
            yield Difference(
                f"dropout of layer {layer.index}", "as on Train", f"drawn from seed {training.seed}"
            )


def order_of(problem: Problem) -> str:
    """Where the order of visits comes from."""
    training = problem.spec.training
    return f"drawn from seed {training.seed}" if training.shuffle else "as the rows stand"


def _numbers(then: Then, problem: Problem, keys: Mapping[str, int]) -> Iterator[Difference]:
    if then.copies is None:
        return
    before, now = then.copies.numbers, problem.hyperparameters
    for name in {**before, **now}:
        if before.get(name) != now.get(name):
            yield Difference(name, before.get(name), now.get(name), _config(keys, name))


def _data(then: Then, rows: Rows) -> Iterator[Difference]:
    """Cells of the rows that were there at export, by the numbers of the rows."""
    if then.copies is None:
        return
    table, layout, copy = rows.table, rows.layout, then.copies.data
    count = len(table.input_names)
    if copy.shape[1] != count + (layout.outputs if layout.coded else len(table.target_names)):
        return
    goals: tuple[Label, ...] | Array = copy[:, count:]
    if layout.coded:
        assert rows.classes is not None
        goals = decode(copy[:, count:], rows.classes)
    training = then.trained.rows
    for r, (number, place) in enumerate(zip(rows.numbers, rows.places, strict=True)):
        if number is None or number > len(copy):
            continue
        before = number - 1
        if rows.split and training is not None:
            sets = _set(number <= training), _set(r < table.training_rows)
            if sets[0] != sets[1]:
                yield Difference("used for", *sets, where(DATA, place, DataLayout.SET_COLUMN))
        for c in np.flatnonzero(table.inputs[r] != copy[before, :count]).tolist():
            at = where(DATA, place, layout.raw_column + c)
            old, new = float(copy[before, c]), float(table.inputs[r, c])
            yield Difference(table.input_names[c], old, new, at)
        if table.labels is not None:
            pairs = [(goals[before], table.labels[r])]
        else:
            assert table.targets is not None
            pairs = list(zip(copy[before, count:].tolist(), table.targets[r].tolist(), strict=True))
        for k, (was, is_now) in enumerate(pairs):
            if was != is_now:
                at = where(DATA, place, layout.target_column + k)
                yield Difference(table.target_names[k], was, is_now, at)


def _set(training: bool) -> str:
    return TRAINING_SET if training else VALIDATION_SET


def _weights(then: Then, starts: tuple[Start, ...]) -> Iterator[Difference]:
    if then.copies is None:
        return
    for l, (start, copy) in enumerate(zip(starts, then.copies.starts, strict=False), 1):
        now = np.column_stack((start.weights, start.bias))
        if now.shape != copy.shape:
            continue
        for j, i in np.argwhere(now != copy).tolist():
            name = f"W{l}[{j + 1},{i + 1}]" if i < start.region.columns else f"b{l}[{j + 1}]"
            at = where(INIT, start.region.row + j, start.region.column + i)
            yield Difference(name, float(copy[j, i]), float(now[j, i]), at)


def row_notes(then: Then, rows: Rows) -> list[str]:
    """Which rows are new, gone or moved."""
    notes = []
    total = then.total
    known = [n for n in rows.numbers if n is not None and (total is None or n <= total)]
    new = [
        place
        for number, place in zip(rows.numbers, rows.places, strict=True)
        if number is None or (total is not None and number > total)
    ]
    if new:
        notes.append(f"{DATA}: {_spans(sorted(new), 'row')} of the sheet {_is(new)} new")
    gone = sorted(set(range(1, (total or max(known, default=0)) + 1)) - set(known))
    if gone:
        notes.append(f"{DATA}: {_spans(gone, 'row')} of the export {_is(gone)} gone")
    placed = sorted(zip(rows.places, rows.numbers, strict=True))
    order = [n for _, n in placed if n is not None and (total is None or n <= total)]
    if order != sorted(order):
        notes.append(f"{DATA}: rows stand in another order than at export")
    return notes


def _is(rows: list[int]) -> str:
    return "are" if len(rows) > 1 else "is"


def _spans(numbers: list[int], what: str) -> str:
    """``rows 3, 5 to 7``, shortened."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    texts = [str(s[0]) if len(s) == 1 else f"{s[0]} to {s[1]}" for s in spans[:10]]
    more = f" … ({len(numbers)} in all)" if len(spans) > 10 else ""
    return f"{what}{'s' if len(numbers) > 1 else ''} {', '.join(texts)}{more}"
