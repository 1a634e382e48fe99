"""The code of every record against its NumPy form: equal to the last bit.

Scripts turn an overflow into nan later than the engine does, so quantities may be
infinite here where the NumPy form sees nan; what comes of them must be a number in both,
or in neither.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from support import make_spec

from sheetnet.codegen import library
from sheetnet.codegen.writer import names_in
from sheetnet.concepts.activations import ACTIVATIONS, Activation
from sheetnet.concepts.arithmetic import Array, errors_to_nan
from sheetnet.concepts.batches import COUNT, MEAN, SUM
from sheetnet.concepts.clipping import CLIPPED, NORM, SHRINK, SHRUNK
from sheetnet.concepts.dropout import DROPOUT
from sheetnet.concepts.initializers import INITIALIZERS
from sheetnet.concepts.losses import LOSSES
from sheetnet.concepts.optimizers import OPTIMIZERS, Optimizer
from sheetnet.concepts.scaling import SCALINGS
from sheetnet.concepts.stages import Slot
from sheetnet.concepts.stopping import judgements
from sheetnet.problem import load_problem
from sheetnet.randomness import (
    ORDER_CODE,
    UNIFORMS_CODE,
    WEIGHTS_CODE,
    dropout_uniforms,
    epoch_order,
    weights_stream,
)

EDGES = (0.0, -0.0, 36.0, -36.0, 800.0, -800.0, 1e-300, 5.5e-17, -5.5e-17, 1e200, -1e200)
OVERFLOWS = (math.inf, -math.inf, math.nan)
SIZES = (1, 3, 10)


def functions() -> dict[str, Any]:
    """What a script defines for its records' code."""
    network = load_problem(make_spec()).network
    names: dict[str, Any] = {"np": np, "math": math}
    for source in library.needed(network, "finite; exp; ln; libm; running_sum; weighted_sum"):
        exec(source, names)
    return names


FUNCTIONS = functions()


def called(code: str, names: Mapping[str, Any]) -> Any:
    """The value of a record's code: an expression, or the lines of a function."""
    if "return " in code:
        body = "\n".join(f"    {line}" for line in code.splitlines())
        scope = {**FUNCTIONS, **names}
        exec(f"def code():\n{body}", scope)
        return scope["code"]()
    return eval(f"({code})", {**FUNCTIONS, **names})


def same(code: str, names: Mapping[str, Any], value: Any) -> Any:
    """Check a code against a value; return what the code gives."""
    with np.errstate(all="ignore"):
        found = called(code, names)
        np.testing.assert_array_equal(
            errors_to_nan(np.asarray(found, float)),
            errors_to_nan(np.asarray(value, float)),
            err_msg=f"{code} with {names}",
        )
    assert np.shape(found) == np.shape(value), code
    return found


def arrays(size: int, *, finite: bool, count: int = 30) -> Iterator[Array]:
    """Random numbers with edge cases among them."""
    random = np.random.default_rng([size, finite])
    special = (*EDGES, math.nan) if finite else (*EDGES, *OVERFLOWS)
    for n in range(count):
        x = np.round(10.0 ** (n % 4 - 1) * random.standard_normal(size), 6)
        if n % 3:
            x[random.integers(size)] = special[n % len(special)]
        yield x


def forward(activation: Activation, z: Array) -> tuple[dict[str, Array], dict[str, Any]]:
    """The parts as the records' NumPy forms give them, and as their code does."""
    q, names = {"z": z}, {"z": z}
    with np.errstate(all="ignore"):
        for part in activation.parts:
            q[part.name] = errors_to_nan(part.value(q))
            names[part.name] = same(part.code, names, q[part.name])
    return q, names


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_activation(activation: Activation) -> None:
    # A script's weighted sums are finite or nan, as the engine's are.
    for z in (z for size in SIZES for z in arrays(size, finite=True)):
        q, names = forward(activation, z)
        if activation.slope is not None:
            assert activation.slope_code is not None
            code = activation.slope_code or "np.ones_like(z)"
            same(code, names, activation.slope(z, q["a"]))
        if activation.back is not None:
            assert activation.back_code is not None
            for da in arrays(len(z), finite=False, count=4):
                with np.errstate(all="ignore"):
                    value = activation.back(errors_to_nan(da), q["a"])
                same(activation.back_code, {**names, "da": da}, value)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_loss(loss: Any) -> None:
    fitting = [a for a in ACTIVATIONS.values() if loss.suits(a.name)]
    random = np.random.default_rng(1)
    for activation, size in itertools.product(fitting, SIZES):
        for z in arrays(size, finite=True):
            q, names = forward(activation, z)
            q["y"] = names["y"] = np.round(random.uniform(0, 1, size), 3)
            with np.errstate(all="ignore"):
                same(loss.code, names, loss.value(q))
                if loss.slope is not None:
                    same(loss.slope_code, names, loss.slope(q))
                if activation.name in loss.deltas:
                    closed = loss.deltas[activation.name]
                    same(closed.code, names, closed.value(q))
    assert set(loss.deltas) <= {activation.name for activation in fitting}


def put_slot(
    slot: Slot, values: dict[str, Any], names: dict[str, Any], held: dict[str, tuple[Any, Any]]
) -> None:
    """Compare a slot, and put what comes of it into both sides."""
    before, before_code = held.get(slot.name, (np.zeros(()), 0.0))
    with np.errstate(all="ignore"):
        value = errors_to_nan(np.asarray(slot.value({**values, "before": before})))
        found = same(slot.code, {**names, "before": before_code}, value)
    values[slot.name], names[slot.name] = value, found
    held[slot.name] = value, found


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_optimizer(optimizer: Optimizer) -> None:
    """Five updates in a row, each from what the one before has left."""
    random = np.random.default_rng(2)
    choices = [
        [h.default, h.low, 0.25, *([h.high] if h.high is not None else [1e-300])]
        for h in optimizer.hyperparameters
    ]
    for numbers in itertools.islice(itertools.product(*choices), 0, 256, 3):
        hyper = dict(zip((h.name for h in optimizer.hyperparameters), numbers, strict=True))
        held = {s.name: (np.zeros((2, 5)), np.zeros((2, 5))) for s in optimizer.slots if s.carried}
        for update in range(1, 6):
            gradient = np.round(random.standard_normal((2, 5)), 6)
            gradient[0, 0], gradient[1, 1] = EDGES[update % len(EDGES)], 1e170 * update
            gradient[1, 4] = OVERFLOWS[update % 3]
            values = {**hyper, "gradient": errors_to_nan(gradient), "update": np.array(update)}
            names = {**hyper, "gradient": gradient, "update": update}
            for slot in optimizer.slots:
                put_slot(slot, values, names, held)
            with np.errstate(all="ignore"):
                same(optimizer.step_code, names, optimizer.step(values))


@pytest.mark.parametrize("size", SIZES)
def test_batches(size: int) -> None:
    """Scripts begin each batch at 0."""
    held: dict[str, tuple[Any, Any]] = {}
    for n, gradient in enumerate(arrays(size, finite=False)):
        if n % 4 == 0:
            held.clear()
        values: dict[str, Any] = {"first": np.array(n % 4 == 0, float)}
        values |= {"gradient": errors_to_nan(gradient)}
        names: dict[str, Any] = {"gradient": gradient}
        # The count is one number; sums are arrays.
        put_slot(COUNT, values, names, held)
        held.setdefault("s", (np.zeros(size), np.zeros(size)))
        put_slot(SUM, values, names, held)
        put_slot(MEAN, values, names, held)


def test_clipping() -> None:
    for limit, size in itertools.product((0.0, 0.2, 1.0, 1e300), SIZES):
        numbers = {"clip": limit, "clip_norm": limit}
        for gradient in arrays(size, finite=False):
            values: dict[str, Any] = {**numbers, "gradient": errors_to_nan(gradient)}
            names: dict[str, Any] = {**numbers, "gradient": gradient}
            for slot in (CLIPPED, NORM, SHRINK, SHRUNK):
                put_slot(slot, values, names, {})


def test_dropout() -> None:
    uniform = np.round(np.random.default_rng(3).random(200), 2)
    for rate in (0.0, 0.25, 0.5, 0.999):
        names = {"uniform": uniform, "rate": rate}
        same(DROPOUT.code, names, DROPOUT.mask(uniform, rate))


@pytest.mark.parametrize("patience", [1, 2, 3])
def test_early_stopping(patience: int) -> None:
    """Whole sequences of losses, as long as training goes on."""
    every = judgements(stops=True)
    random = np.random.default_rng(patience)
    stops = 0
    for n in range(200):
        numbers = {"patience": float(patience), "min_delta": (0.0, 0.1, 1.7e308)[n % 3]}
        before = {j.name: np.asarray(j.start) for j in every}
        names: dict[str, Any] = {**numbers, **{j.name: j.start for j in every}}
        for epoch in range(1, 8):
            loss = float(random.choice([math.nan, 0.5, *random.random(4), 1e308, -1e308]))
            q: dict[str, Any] = {k: np.asarray(v) for k, v in numbers.items()}
            q |= {f"{k} before": v for k, v in before.items()}
            q |= {"epoch": np.asarray(float(epoch)), "val_loss": np.asarray(loss)}
            names |= {"epoch": epoch, "val_loss": loss}
            for judgement in every:
                with np.errstate(all="ignore"):
                    q[judgement.name] = judgement.value(q)
                names[judgement.name] = same(judgement.code, names, q[judgement.name])
            before = {j.name: q[j.name] for j in every}
            stops += int(before["stopped"] == 1)
    assert 100 < stops < 1300  # of 1400 epochs


@pytest.mark.parametrize("scaling", SCALINGS.values(), ids=SCALINGS)
def test_scaling(scaling: Any) -> None:
    random = np.random.default_rng(4)
    columns = [random.normal(5, 3, 11), np.full(11, 2.5), 1e8 + random.random(11)]
    columns += [np.round(random.normal(size=11), 1) * 10.0**k for k in (-9, 0, 9)]
    x = np.column_stack(columns)
    names: dict[str, Any] = {"x": x}
    known: list[dict[str, float]] = [{} for _ in columns]
    for statistic in scaling.statistics:
        for column, found in zip(columns, known, strict=True):
            found[statistic.name] = statistic.value(column, found)
        value = np.array([found[statistic.name] for found in known])
        names[statistic.name] = same(statistic.code, names, value)
    same(scaling.code, names, scaling.value(x, {k: v for k, v in names.items() if k != "x"}))


@pytest.mark.parametrize("initializer", INITIALIZERS.values(), ids=INITIALIZERS)
def test_initializer(initializer: Any) -> None:
    for seed, units, inputs in ((0, 1, 1), (7, 3, 4), (9, 12, 30)):
        stream = called(WEIGHTS_CODE, {"seed": seed, "layer": 2})
        names = {"random": stream, "units": units, "inputs": inputs}
        same(initializer.code, names, initializer.draw(weights_stream(seed, 2), units, inputs))


def test_streams() -> None:
    names = {"seed": 3, "epoch": 4, "rows": 20, "layer": 2, "batches": 5, "units": 6}
    same(ORDER_CODE, names, epoch_order(20, 4, 3, shuffle=True) - 1)
    same(UNIFORMS_CODE, names, dropout_uniforms(5, 6, 2, 4, 3))


def test_code_names_nothing_strange() -> None:
    """What a code names, a script has: its quantities, numbers and functions."""
    scope = {*FUNCTIONS, "len", "before", "gradient", "update", "z", "a", "da", "y"}
    for activation in ACTIVATIONS.values():
        own = {part.name for part in activation.parts}
        codes = [*(p.code for p in activation.parts), activation.slope_code, activation.back_code]
        for code in codes:
            assert names_in(code or "0") <= scope | own, code
    for optimizer in OPTIMIZERS.values():
        own = {s.name for s in optimizer.slots} | {h.name for h in optimizer.hyperparameters}
        for code in [*(s.code for s in optimizer.slots), optimizer.step_code]:
            assert names_in(code) <= scope | own, code
