"""Values of a spec, one check per kind: each names the key, what was given, what is allowed."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sheetnet.concepts.hyperparameters import Hyperparameter
from sheetnet.errors import SpecError, nearest
from sheetnet.limits import MAX_COLUMNS, NOT_IN_XML

Matrix = tuple[tuple[float, ...], ...]
T = TypeVar("T")


def field_names(kind: type[Any]) -> list[str]:
    """The fields of a dataclass, in order."""
    return [f.name for f in dataclasses.fields(kind)]


def known_keys(where: str, given: Mapping[str, Any], allowed: list[str] | tuple[str, ...]) -> None:
    """Raise SpecError for the first key that is not allowed, with the nearest that is."""
    for key in given:
        if key not in allowed:
            full = f"{where}.{key}" if where else key
            raise SpecError(
                f"unknown key {full}{nearest(key, allowed)}; allowed: {', '.join(allowed)}"
            )


def table(where: str, value: Any) -> Mapping[str, Any]:
    """Return a table of keys."""
    if not isinstance(value, Mapping):
        raise SpecError(f"{where} is {shown(value)}: a table of keys is needed")
    return value


def optional(key: str, given: Mapping[str, Any], check: Callable[[str, Any], T]) -> T | None:
    """Return the checked value of a dotted key, or None where it is not given."""
    value = given.get(key.rsplit(".", 1)[1])
    return None if value is None else check(key, value)


def text(key: str, value: Any) -> str:
    """Return a text that is not empty."""
    if not isinstance(value, str) or not value:
        raise SpecError(f"{key} is {shown(value)}: a text is needed")
    if NOT_IN_XML.search(value):
        raise SpecError(f"{key} is {shown(value)}: a text without control characters is needed")
    return value


def choice(key: str, value: Any, allowed: Mapping[str, Any]) -> str:
    """Return a text that is one of the allowed."""
    if not isinstance(value, str) or value not in allowed:
        hint = nearest(value, allowed) if isinstance(value, str) else ""
        raise SpecError(f"{key} is {shown(value)}{hint}; allowed: {', '.join(allowed)}")
    return value


def flag(key: str, value: Any) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise SpecError(f"{key} is {shown(value)}: true or false is needed")
    return value


def count(key: str, value: Any) -> int:
    """Return a whole number from 1."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 10**9:
        raise SpecError(f"{key} is {shown(value)}: a whole number from 1 is needed")
    return value


def units(key: str, value: Any) -> int:
    """Return a whole number of units that a sheet has columns for."""
    if count(key, value) > MAX_COLUMNS:
        raise SpecError(f"{key} is {shown(value)}, too many for a sheet of {MAX_COLUMNS} columns")
    return int(value)


def seed(key: str, value: Any) -> int:
    """Return a whole number that seeds a stream."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**32:
        raise SpecError(f"{key} is {shown(value)}: a whole number from 0 to 4294967295 is needed")
    return value


def number(key: str, value: Any) -> float:
    """Return the value as a finite float or raise SpecError naming ``key``."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise SpecError(f"{key} is {shown(value)}: a number is needed")
    try:
        real = float(value)
    except OverflowError:
        real = math.inf
    if not math.isfinite(real):
        raise SpecError(f"{key} is {shown(value)}: a finite number is needed")
    return real


def bounded(key: str, value: Any, low: float, high: float | None) -> float:
    """Return a finite float in low … high (None: no bound) or raise SpecError."""
    real = number(key, value)
    if real < low or (high is not None and real > high):
        allowed = f"from {low:g} to {high:g}" if high is not None else f"from {low:g}"
        raise SpecError(f"{key} is {shown(value)}: a number {allowed} is needed")
    return real


def hyperparameter(key: str, value: Any, h: Hyperparameter) -> float:
    """Return a finite float inside of the bounds, a whole one where that is needed."""
    real = bounded(key, value, h.low, h.high)
    if h.whole and not real.is_integer():
        raise SpecError(f"{key} is {shown(value)}: a whole number from {h.low:g} is needed")
    return real


def share(key: str, value: Any) -> float:
    """Return a share of the whole, from 0 to below 1."""
    real = number(key, value)
    if not 0 <= real < 1:
        raise SpecError(f"{key} is {shown(value)}: a share from 0 to below 1 is needed")
    return real


def vector(key: str, value: Any) -> tuple[float, ...]:
    """Return a list of finite numbers."""
    if not isinstance(value, list) or not value:
        raise SpecError(f"{key} is {shown(value)}: a list of numbers is needed")
    return tuple(number(f"{key}[{i}]", item) for i, item in enumerate(value, 1))


def matrix(key: str, value: Any) -> Matrix:
    """Return rows of finite numbers, all of one length."""
    if not isinstance(value, list) or not value:
        raise SpecError(f"{key} is {shown(value)}: a list of rows, one per unit, is needed")
    rows = tuple(vector(f"{key}[{j}]", row) for j, row in enumerate(value, 1))
    if len({len(row) for row in rows}) != 1:
        raise SpecError(f"{key}: its rows have different lengths ({[len(r) for r in rows]})")
    return rows


def columns(key: str, value: Any) -> tuple[str, ...]:
    """Return a column's name, or a list of them without repetition, as a tuple."""
    names = (value,) if isinstance(value, str) else value
    if (
        not isinstance(names, (list, tuple))
        or not names
        or not all(isinstance(name, str) and name for name in names)
    ):
        raise SpecError(f"{key} is {shown(value)}: a column's name or a list of them is needed")
    repeated = [name for name in names if list(names).count(name) > 1]
    if repeated:
        raise SpecError(f"{key} names {repeated[0]!r} more than once")
    return tuple(names)


def shown(value: Any) -> str:
    """Return a value as messages show it: short, whatever it is."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # thousands of digits, or of nested tables
        return "too much to show"
    return text if len(text) <= 60 else text[:57] + "..."
