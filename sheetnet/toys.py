"""Toy data sets, drawn from the seed and rounded to six decimals.

``and or xor``: the four rows of the logic tables. ``line``: y = 2x + 1 with noise.
``circles moons spiral``: two classes (0, 1) in the plane, as in scikit-learn's
generators and the two-spirals problem. ``blobs``: three labelled clouds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.errors import nearest

DEFAULT_ROWS = 100


@dataclass(frozen=True)
class Toy:
    """One set: its columns, and ``draw(random, rows)`` -> rows as a list of cells."""

    inputs: tuple[str, ...]
    target: str
    draw: Callable[[np.random.RandomState, int], list[list[object]]]
    fixed_rows: int | None = None


def _logic(outputs: tuple[int, int, int, int]) -> Toy:
    table: list[list[object]] = [
        [a, b, y] for (a, b), y in zip(((0, 0), (0, 1), (1, 0), (1, 1)), outputs, strict=True)
    ]
    return Toy(("x1", "x2"), "y", lambda random, rows: table, fixed_rows=4)


def _rows(points: Array, labels: list[object]) -> list[list[object]]:
    return [[*map(float, p), y] for p, y in zip(np.round(points, 6), labels, strict=True)]


def _line(random: np.random.RandomState, rows: int) -> list[list[object]]:
    x = random.uniform(-1, 1, rows)
    y = 2 * x + 1 + 0.1 * random.standard_normal(rows)
    return [[float(a), float(b)] for a, b in zip(np.round(x, 6), np.round(y, 6), strict=True)]


def _alternating(rows: int) -> tuple[Array, list[object]]:
    label = np.arange(rows) % 2
    return label.astype(np.float64), [int(v) for v in label]


def _circles(random: np.random.RandomState, rows: int) -> list[list[object]]:
    label, labels = _alternating(rows)
    angle = random.uniform(0, 2 * np.pi, rows)
    radius = np.where(label == 1, 0.5, 1.0) + 0.05 * random.standard_normal(rows)
    return _rows(np.column_stack((radius * np.cos(angle), radius * np.sin(angle))), labels)


def _moons(random: np.random.RandomState, rows: int) -> list[list[object]]:
    label, labels = _alternating(rows)
    angle = random.uniform(0, np.pi, rows)
    x = np.where(label == 1, 1 - np.cos(angle), np.cos(angle))
    y = np.where(label == 1, 0.5 - np.sin(angle), np.sin(angle))
    noise = 0.1 * random.standard_normal((rows, 2))
    return _rows(np.column_stack((x, y)) + noise, labels)


def _spiral(random: np.random.RandomState, rows: int) -> list[list[object]]:
    label, labels = _alternating(rows)
    radius = random.uniform(0.1, 1.0, rows)
    angle = 1.5 * np.pi * radius + np.pi * label
    noise = 0.02 * random.standard_normal((rows, 2))
    points = np.column_stack((radius * np.cos(angle), radius * np.sin(angle)))
    return _rows(points + noise, labels)


def _blobs(random: np.random.RandomState, rows: int) -> list[list[object]]:
    which = np.arange(rows) % 3
    centres = np.array([[-1.0, -0.6], [1.0, -0.6], [0.0, 1.0]])
    points = centres[which] + 0.35 * random.standard_normal((rows, 2))
    return _rows(points, [f"blob_{'abc'[k]}" for k in which])


TOYS: dict[str, Toy] = {
    "and": _logic((0, 0, 0, 1)),
    "or": _logic((0, 1, 1, 1)),
    "xor": _logic((0, 1, 1, 0)),
    "line": Toy(("x",), "y", _line),
    "circles": Toy(("x1", "x2"), "class", _circles),
    "moons": Toy(("x1", "x2"), "class", _moons),
    "spiral": Toy(("x1", "x2"), "class", _spiral),
    "blobs": Toy(("x1", "x2"), "class", _blobs),
}


def unknown_toy(name: str) -> str:
    """Say which sets there are."""
    return f"there is no toy set {name!r}{nearest(name, TOYS)}; allowed: {', '.join(TOYS)}"
