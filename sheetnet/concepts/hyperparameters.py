"""What every number that a person may change in the workbook has in common."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Hyperparameter:
    """A number with an input cell of its own on ``Config``, and a defined name.

    ``low`` and ``high`` bound what makes sense (inclusive); ``high`` None: no bound.
    ``whole`` allows whole numbers only.
    """

    name: str
    default: float
    meaning: str
    low: float = 0.0
    high: float | None = None
    whole: bool = False
