"""What a run comes from: a spec, whose rows are read, or a workbook that was read whole."""

from __future__ import annotations

from typing import Protocol

from sheetnet.problem import Problem, load_problem
from sheetnet.spec import Spec


class Held(Protocol):
    """Something that holds its run already."""

    @property
    def problem(self) -> Problem:
        """The run."""

    def to_text(self) -> str:
        """What is to be said of it."""


def problem_of(origin: Spec | Held) -> Problem:
    """The run of a spec or of a workbook."""
    return load_problem(origin) if isinstance(origin, Spec) else origin.problem


def remarks_of(origin: Spec | Held) -> list[str]:
    """What a script says at its head of where it comes from, line by line."""
    return [] if isinstance(origin, Spec) else origin.to_text().splitlines()
