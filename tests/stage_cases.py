"""Cases of what stands between gradients and updates, for the workbook of test_concepts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from bench import Bench

from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.batches import COUNT, MEAN, SUM
from sheetnet.concepts.clipping import CLIPPED, NORM, SHRINK, SHRUNK
from sheetnet.concepts.dropout import DROPOUT
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.concepts.stages import Slot

BEFORE = (0.0, 0.25, -1.5, 1e-12, 3e4)
"""What a slot held one row before; squares are never negative, so some take it without sign."""

UPDATES = (1, 2, 10, 1000)


def put_slots(
    bench: Bench, slots: Sequence[Slot], numbers: dict[str, Array], refs: dict[str, str]
) -> None:
    """Slot after slot on one gradient, its value and its cell kept for those that follow."""
    for slot in slots:
        held = bench.numbers(numbers[f"before {slot.name}"]) if slot.carried else None
        seen = {**numbers, "before": numbers.get(f"before {slot.name}", np.zeros(1))}
        numbers[slot.name] = slot.value(seen)
        text = slot.cell({**refs, "before": held[0] if held else ""})
        refs[slot.name] = bench.formulas([text], numbers[slot.name])[0]


def put_optimizers(bench: Bench, edges: Sequence[float]) -> None:
    """Every slot and the step of each, over gradients, states before and updates t."""
    random = np.random.default_rng(8)
    gradients = [*edges, *np.round(random.standard_normal(6), 6).tolist()]
    for optimizer in OPTIMIZERS.values():
        values = {h.name: h.default for h in optimizer.hyperparameters}
        for name in values.keys() - bench.book.defined_names.keys():
            bench.name(name, values[name])
        kept = [slot.name for slot in optimizer.slots if slot.carried]
        for gradient, before, t in itertools.product(gradients, BEFORE, UPDATES):
            bench.new_row(f"optimizer.{optimizer.name}")
            numbers = {name: np.array(value) for name, value in values.items()}
            numbers |= {"gradient": np.array([gradient]), "update": np.array([float(t)])}
            refs = {name: bench.numbers(numbers[name])[0] for name in ("gradient", "update")}
            velocity = "momentum" in values
            for name in kept:
                state = before if velocity or name == "m" else abs(before)
                numbers[f"before {name}"] = np.array([state])
            put_slots(bench, optimizer.slots, numbers, refs)
            bench.formulas([optimizer.step_cell(refs)], optimizer.step(numbers))


def put_batches_and_clipping(bench: Bench, edges: Sequence[float], sizes: Sequence[int]) -> None:
    """The running sum of a batch and its mean; then both clips over a row of gradients."""
    for name, limit in (("clip", 0.75), ("clip_norm", 1.25)):
        bench.name(name, limit)
    limits = {"clip": np.array(0.75), "clip_norm": np.array(1.25)}
    for first, before, gradient in itertools.product((1.0, 0.0), (0.0, 2.0, 7.0), edges):
        bench.new_row("batches")
        numbers = {"first": np.array([first]), "gradient": np.array([gradient])}
        refs = {name: bench.numbers(value)[0] for name, value in numbers.items()}
        numbers |= {f"before {name}": np.array([before]) for name in ("count", "s")}
        put_slots(bench, (COUNT, SUM, MEAN), numbers, refs)
    random = np.random.default_rng(10)
    scales = (0.0, 1e-200, 1e-9, 0.1, 1.0, 1e3, 1e200)
    for size, scale in itertools.product(sizes, scales):
        bench.new_row("clipping")
        gradients = np.array([float(f"{v:.6e}") for v in scale * random.standard_normal(size)])
        cells_of = bench.numbers(gradients)
        for gradient, ref in zip(gradients, cells_of, strict=True):
            put_slots(bench, [CLIPPED], {**limits, "gradient": np.array([gradient])},
                      {"gradient": ref})  # fmt: skip
        single = {**limits, "gradient": gradients}
        with np.errstate(over="ignore"):  # too large a norm is an error in the sheet too
            norms = {**single, NORM.name: np.atleast_1d(NORM.value(single))}
            where = {"gradient": cells_of.span}
            where[NORM.name] = bench.formulas([NORM.cell(where)], norms[NORM.name])[0]
            if not np.isfinite(norms[NORM.name]).all():
                continue
            put_slots(bench, [SHRINK], norms, where)
        for gradient, ref in zip(gradients, cells_of, strict=True):
            put_slots(bench, [SHRUNK], {**norms, "gradient": np.array([gradient])},
                      {**where, "gradient": ref})  # fmt: skip


def put_dropout(bench: Bench) -> None:
    bench.name("dropout_1", 0.3)
    for uniform in (0.0, 0.299999, 0.3, 0.300001, 0.999999, 1.0):
        bench.new_row("dropout")
        ref = bench.numbers([uniform])[0]
        mask = DROPOUT.mask(np.array([uniform]), 0.3)
        bench.formulas([DROPOUT.mask_cell(ref, "dropout_1")], mask)
