"""How far something is, told while it goes on."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Told (done, in all) of what is counted: visits, cells, trainings, files or checks."""


def untold(done: int, total: int) -> None:
    """Nobody listens."""
