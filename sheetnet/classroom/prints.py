"""Fingerprints of numbers: a sheet can tell whether a number is right without holding it.

A number is counted in units of its last significant digit, and the count is mixed with a
salt by squares modulo a prime. Whoever tries all counts finds it; nobody reads it off.
Each of the two forms, NumPy's and the sheet's, is written by hand.
"""

from __future__ import annotations

import math

PRIME = 999_983
"""Squares below stay exact, and so does what each application makes of MOD."""

SALTS = 1_100_000, 1_900_000
"""Above the largest count, so that no sum is negative."""

MOST = 1_000_000
"""The largest count."""

NONE = 9_999_999
"""Stands for what is no number, or out of reach."""

SMALL = 1e-6
"""Of a quantity's size: what is smaller is counted in units of a number of this size."""


def unit_of(value: float, size: float, digits: int) -> float:
    """The unit of the last significant digit; ``size`` is the quantity's largest magnitude."""
    magnitude = max(abs(value), size * SMALL) or SMALL
    return float(10.0 ** (math.floor(math.log10(magnitude)) - digits + 1))


def near(value: float, wanted: float, size: float, digits: int) -> bool:
    """Whether a number is right: its last significant digit may be one off."""
    unit = unit_of(wanted, size, digits)
    return abs(_count(value, unit) - _count(wanted, unit)) <= 1


def _count(value: float, unit: float) -> float:
    """A finite number in whole units, halves away from 0 as ROUND has it."""
    return math.copysign(math.floor(abs(value) / unit + 0.5), value)


def print_of(value: float, unit: float, salt: int) -> int:
    """The fingerprint."""
    mixed = (int(_count(value, unit)) + salt) ** 2 % PRIME
    return mixed * (mixed + salt) % PRIME


def count_cell(cell: str, unit: str) -> str:
    """The number in a cell in units: a formula."""
    inside = f"IF(ABS({cell})<{MOST}*{unit},ROUND({cell}/{unit},0),{NONE})"
    return f"IF(ISNUMBER({cell}),{inside},{NONE})"


def mixed_cell(count: str, off: int, salt: str) -> str:
    """The first mixing of a count, or of one beside it (``off`` -1 or 1)."""
    term = f"({count}{off:+d}+{salt})" if off else f"({count}+{salt})"
    return f"MOD({term}*{term},{PRIME})"


def right_cell(count: str, mixed: tuple[str, ...], salt: str, wanted: str) -> str:
    """1 where one of the mixed counts leads to the fingerprint, else 0."""
    tests = ",".join(f"MOD({m}*({m}+{salt}),{PRIME})={wanted}" for m in mixed)
    return f"IF({count}={NONE},0,IF(OR({tests}),1,0))"
