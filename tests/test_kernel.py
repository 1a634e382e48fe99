"""Tracing NumPy forms, and the Python that is made of the trace, against NumPy itself."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sheetnet.concepts import arithmetic
from sheetnet.concepts.arithmetic import Array
from sheetnet.kernel import Kernel, kernel_of
from sheetnet.tracing import UntraceableError, leaves, symbols

X = np.array([-1.5, -0.3, 0.0, 0.7, 2.5])
Y = np.array([0.3, -0.3, 2.0, 0.7, -4.0])

Form = Callable[[Any, Any], Any]


def in_place(x: Any, y: Any) -> Any:
    total = x * y
    total += x
    return total


FORMS: dict[str, Form] = {
    "arithmetic": lambda x, y: (x + 2.0) * y - x / 3.0 + -y,
    "constants": lambda x, y: 1.0 * x / 1.0 + np.zeros_like(x) + np.ones_like(y),
    "roots": lambda x, y: np.sqrt(np.abs(x)) + abs(y),
    "bounds": lambda x, y: np.maximum(-0.5, np.minimum(x * y, 0.5)),
    "choice": lambda x, y: np.where((x > 0) & (y >= 0.5) | (x == -0.3), x, np.where(y < 0, y, 9.0)),
    "shared choice": lambda x, y: np.where(x[:1] <= y[:1], x, y) + np.where(x[:1] != 0, x, y),
    "largest": lambda x, y: x - np.max(y, axis=-1) + np.min(x, axis=-1),
    "running": lambda x, y: x + arithmetic.running_sum(x * y)[..., None],
    "accumulated": lambda x, y: np.maximum.accumulate(x) + np.add.accumulate(y),
    "weighted": lambda x, y: x + arithmetic.weighted_sum(y, y[:, None] * x, x),
    "weighted, few": lambda x, y: x + arithmetic.weighted_sum(y, y[:, None] * x[:1], x[:1]),
    "back": lambda x, y: arithmetic.back_sum(x, x[:, None] * y),
    "functions": lambda x, y: arithmetic.exp(x) + arithmetic.tanh(y) + arithmetic.ln(y * y),
    "power": lambda x, y: 1.0 - arithmetic.power(0.9, x),
    "moved": lambda x, y: np.stack((x, y), axis=-1).reshape(-1)[::2] + np.concatenate((y,)),
    "in place": in_place,
    "finite": lambda x, y: np.where(np.isfinite(x), x, y),
    "inf": lambda x, y: np.minimum(x, np.inf) + np.maximum(-np.inf, y),
}


def run(kernel: Kernel, state: list[float], rows: list[tuple[float, ...]], told: int) -> Array:
    """What is told in each row: (rows, told)."""
    into = bytearray(8 * told * len(rows))
    kernel.run(state, rows, struct.Struct(f"{told}d").pack_into, into)
    return np.frombuffer(into).reshape(len(rows), told)


@pytest.mark.parametrize("name", FORMS)
def test_forms_give_the_same_bits(name: str) -> None:
    form = FORMS[name]
    traced = symbols(form(leaves("x", X.shape), leaves("y", Y.shape)))
    kernel = kernel_of({("s", 0): 0.0}, list(traced.flat))
    values = {("x", i): float(v) for i, v in enumerate(X)}
    values |= {("y", i): float(v) for i, v in enumerate(Y)}
    row = tuple(values[leaf] for leaf in kernel.inputs)
    wanted = np.asarray(form(X, Y))
    assert traced.shape == wanted.shape
    found = run(kernel, [0.0], [row], traced.size)[0]
    assert found.tobytes() == wanted.astype(float).tobytes()


def test_states_take_their_new_values_together() -> None:
    """Each means the others' old values, whatever the order of the lines."""
    a, b, c = (leaves(name, ()).item() for name in "abc")
    after = {("a", 0): b, ("b", 0): (symbols(a) + symbols(c)).item(), ("c", 0): a}
    found = run(kernel_of(after, [a, b, c]), [1.0, 10.0, 100.0], [(), (), ()], 3)
    wanted = [[1, 10, 100]]
    for _ in range(2):
        x, y, z = wanted[-1]
        wanted.append([y, x + z, x])
    assert found.tolist() == wanted


def test_equal_operations_are_done_once() -> None:
    calls: list[float] = []

    def noted(value: float) -> float:
        calls.append(value)
        return 2.0 * value

    x = leaves("x", (3,))
    once = x.call(noted) + leaves("x", (3,)).call(noted)
    kernel = kernel_of({("s", 0): 0.0}, list(once.flat))
    found = run(kernel, [0.0], [(1.0, 2.0, 3.0)], 3)
    assert found.tolist() == [[4.0, 8.0, 12.0]] and sorted(calls) == [1.0, 2.0, 3.0]


def test_what_is_not_needed_is_left_out() -> None:
    x = leaves("x", ())
    x.call(math.tanh)
    kernel = kernel_of({("s", 0): (leaves("s", ()) + x).item()}, [x.item()])
    assert kernel.source.count("\n") < 8 and "f0" not in kernel.source


def test_long_sums_are_no_deep_expressions() -> None:
    """Python's parser takes a hundred levels, a wide layer has many more terms."""
    values = np.random.default_rng(0).normal(size=3000)
    total = arithmetic.running_sum(leaves("x", values.shape)).item()
    kernel = kernel_of({("s", 0): 0.0}, [total])
    row = tuple(values[column] for _, column in kernel.inputs)
    found = run(kernel, [0.0], [row], 1)
    assert found.item() == arithmetic.running_sum(values)


@pytest.mark.parametrize(
    "form",
    [np.arctan, np.sum, np.add.reduce, np.sort, np.linalg.norm, lambda x: x if x[0] > 0 else -x],
    ids=["arctan", "sum", "reduce", "sort", "norm", "if"],
)
def test_what_symbols_do_not_know_is_refused(form: Callable[[Any], Any]) -> None:
    """A pairwise sum would be another number."""
    with pytest.raises((UntraceableError, TypeError)):
        form(leaves("x", (9,)))
