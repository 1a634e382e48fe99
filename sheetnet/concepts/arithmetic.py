"""NumPy arithmetic in the order in which a spreadsheet does it.

A sheet adds from left to right and takes exp, ln and tanh from the C library.
NumPy's own sums are pairwise and its exp, log and tanh differ from the C
library's by an ulp in up to a quarter of the values, so neither is used here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

WRITTEN_OUT = 8
"""Sums of up to this many terms are written out in a cell; longer ones use SUMPRODUCT or SUM."""


def libm(function: Callable[[float], float], x: Array) -> Array:
    """Apply a function of one float to every element of ``x`` (any shape).

    Overflow gives inf and a value outside the domain gives nan, where Python's
    ``math`` would raise.
    """
    if x.dtype == object:  # symbols, see ``tracing``
        called: Array = x.call(function)  # type: ignore[attr-defined]
        return called
    flat = x.ravel().tolist()
    try:
        values = np.fromiter(map(function, flat), np.float64, len(flat))
    except (ValueError, OverflowError):
        values = np.array([_guarded(function, value) for value in flat])
    return values.reshape(x.shape)


def power(base: float, exponents: Array) -> Array:
    """base^t by the C library, as the sheet's ``^``, any shape; NumPy's own differs by an ulp."""
    return libm(_power_of(base), np.asanyarray(exponents))


@cache
def _power_of(base: float) -> Callable[[float], float]:
    """One function for a base, so that equal powers are known as such."""
    return partial(math.pow, base)


def _guarded(function: Callable[[float], float], value: float) -> float:
    try:
        return function(value)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan


def exp(x: Array) -> Array:
    """e^x by the C library, any shape."""
    return libm(math.exp, x)


def ln(x: Array) -> Array:
    """Natural logarithm by the C library, any shape; nan at and below 0."""
    return libm(math.log, x)


def tanh(x: Array) -> Array:
    """Hyperbolic tangent by the C library, any shape."""
    return libm(math.tanh, x)


MANY = 4
"""Sums over arrays of at least this many rows for each term go term by term."""


def running_sum(terms: Array) -> Array:
    """Sum over the last axis from left to right: shape (..., n) -> (...)."""
    n = terms.shape[-1]
    if terms.size < MANY * n * n:
        total: Array = np.add.accumulate(terms, axis=-1)[..., -1]
        return total
    total = terms[..., 0].copy()
    for i in range(1, n):
        total += terms[..., i]
    return total


def weighted_sum(bias: Array, weights: Array, inputs: Array) -> Array:
    """Z = b + Σ_i w_i x_i, added in the order of the cell's formula.

    Shapes: bias (..., units), weights (..., units, inputs), inputs (..., inputs), of which
    bias and weights may have 1 row for all; returns (..., units). Up to
    :data:`WRITTEN_OUT` inputs the sum starts from the bias, as ``=b+w1*x1+w2*x2`` does;
    with more it is ``=b+SUMPRODUCT(w,x)``.
    """
    units, n = weights.shape[-2:]
    written_out = n <= WRITTEN_OUT
    if inputs.size * units < MANY * n * n:
        terms = weights * inputs[..., None, :]
        if written_out:
            first = np.broadcast_to(bias, terms.shape[:-1])[..., None]
            return running_sum(np.concatenate((first, terms), axis=-1))
        return bias + running_sum(terms)
    by_input = np.moveaxis(weights, -1, 0)
    if weights.size == units * n:
        by_input = by_input.copy()
    total: Array = by_input[0] * inputs[..., None, 0]
    if written_out:
        total += bias
    for i in range(1, n):
        total += by_input[i] * inputs[..., None, i]
    return total if written_out else bias + total


def back_sum(delta: Array, weights: Array) -> Array:
    """Σ_j δ_j w_ji, what layer l+1 hands back to layer l, added over j in order.

    Shapes: delta (..., units), weights (..., units, inputs); returns (..., inputs).
    """
    n = delta.shape[-1]
    if delta.size < MANY * n * n:
        terms = delta[..., :, None] * weights
        total: Array = np.add.accumulate(terms, axis=-2)[..., -1, :]
        return total
    total = delta[..., 0, None] * weights[..., 0, :]
    for j in range(1, n):
        total += delta[..., j, None] * weights[..., j, :]
    return total


def all_finite(x: Array) -> bool:
    """Whether there is neither inf nor nan in ``x``, any shape."""
    # A sum of finite numbers is finite, but for very large ones; and quickly made.
    return bool(np.isfinite(x.sum())) or bool(np.isfinite(x).all())


def errors_to_nan(x: Array) -> Array:
    """Replace what a sheet cannot hold (inf, nan) by nan, its error value."""
    return np.where(np.isfinite(x), x, np.nan)
