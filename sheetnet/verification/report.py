"""What a verification found, as text and as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sheetnet.output import finite
from sheetnet.regions import address

SHOWN = 12
"""Names of changed inputs that the text lists."""


@dataclass(frozen=True)
class Change:
    """An input cell that liveness changed: ``name`` as on its sheet, ``after`` instead."""

    name: str
    sheet: str
    row: int
    column: int
    before: float | str
    after: float | str

    @property
    def cell(self) -> str:
        """``Config!B6``."""
        return f"{self.sheet}!{address(self.row, self.column)}"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "input": self.name,
            "cell": self.cell,
            "from": finite(self.before),
            "to": finite(self.after),
        }


@dataclass(frozen=True)
class Failure:
    """The first cell that a check does not accept.

    ``ulps``: floats between both values, None where one of them is no number. ``changed``:
    for liveness, a change that it does not follow.
    """

    sheet: str
    cell: str
    quantity: str
    visit: int | None
    sheet_value: float | str | None
    python_value: float | str | None
    ulps: int | None
    formula: str | None
    changed: Change | None = None

    def __str__(self) -> str:
        at = f" at visit {self.visit}" if self.visit is not None else ""
        formula = f", formula {self.formula}" if self.formula else ""
        return (
            f"{self.sheet}!{self.cell} ({self.quantity}{at}): sheet {_shown(self.sheet_value)}, "
            f"Python {_shown(self.python_value)}{formula}{self._cause()}"
        )

    def _cause(self) -> str:
        if self.changed is None:
            return ""
        change = self.changed
        return (
            f"; does not follow {change.name} ({change.cell}) "
            f"from {_brief(change.before)} to {_brief(change.after)}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        found = dataclasses.asdict(self)
        del found["changed"]
        if self.changed is not None:
            found["changed"] = self.changed.as_dict()
        return {key: finite(value) for key, value in found.items()}


@dataclass(frozen=True)
class Check:
    """One of the questions.

    Attributes
    ----------
    cells: how many cells were looked at; identical: how many agree to the last bit.
    failures: how many cells are not accepted.
    max_abs: largest difference; max_rel: largest difference over the largest magnitude
        of its column.
    growth: (visit, largest difference up to there over the column's magnitude).

    """

    ok: bool
    cells: int
    identical: int | None = None
    failures: int = 0
    max_abs: float | None = None
    max_rel: float | None = None
    first_failure: Failure | None = None
    growth: tuple[tuple[int, float], ...] = ()
    python_diverged_at: int | None = None
    sheet_diverged_at: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; nan and infinity become None."""
        found = {each.name: getattr(self, each.name) for each in dataclasses.fields(Check)}
        if self.first_failure is not None:
            found["first_failure"] = self.first_failure.as_dict()
        if not self.growth:
            for key in ("growth", "python_diverged_at", "sheet_diverged_at"):
                del found[key]
        return {key: finite(value) for key, value in found.items()}


@dataclass(frozen=True)
class Liveness(Check):
    """What became of ``changed`` inputs; ``unchanged`` names those with no change that shows."""

    changed: tuple[Change, ...] = ()
    unchanged: tuple[str, ...] = ()

    @property
    def groups(self) -> dict[str, list[Change]]:
        """The changes by name: ``learning_rate``, ``W1``, a column of the data."""
        found: dict[str, list[Change]] = {}
        for change in self.changed:
            found.setdefault(change.name, []).append(change)
        return found

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON: of each group of changes how many, and the first."""
        changed = [{**group[0].as_dict(), "cells": len(group)} for group in self.groups.values()]
        return {**super().as_dict(), "changed": changed, "unchanged": list(self.unchanged)}


@dataclass(frozen=True)
class Report:
    """The answer: ``agree`` is true only where every check is fine."""

    path: str
    engine: str
    cells: int
    checks: Mapping[str, Check]

    @property
    def agree(self) -> bool:
        """Whether the workbook and Python agree."""
        return all(check.ok for check in self.checks.values())

    def to_json(self) -> str:
        """One JSON object, as the README describes it."""
        return json.dumps(
            {
                "agree": self.agree,
                "engine": self.engine,
                "cells": self.cells,
                "checks": {name: check.as_dict() for name, check in self.checks.items()},
            },
            indent=2,
            allow_nan=False,
        )

    def to_text(self) -> str:
        """A few lines for people."""
        lines = [f"{self.path}: {self.cells:,} computed cells, recalculated by {self.engine}"]
        for name, check in self.checks.items():
            lines.append(f"  {name:<11}{'ok' if check.ok else 'FAILED':<8}{_summary(name, check)}")
            if isinstance(check, Liveness):
                lines += [f"             {line}" for line in _told(check)]
            if check.first_failure is not None:
                lines.append(f"             first: {check.first_failure}")
        trajectory = self.checks.get("trajectory")
        if trajectory is not None:
            lines += _divergence(trajectory)
        lines.append("The sheet and Python agree." if self.agree else "They DISAGREE.")
        return "\n".join(lines)


def _summary(name: str, check: Check) -> str:
    failed = f"{check.failures:,} of " if check.failures else ""
    if name == "formulas":
        return f"{failed}{check.cells:,} cells as exported"
    if check.cells == 0:
        return "no values are saved in the file"
    if check.identical == check.cells:
        return f"{check.cells:,} cells, all identical to the last bit"
    text = f"{failed}{check.cells:,} cells, {check.identical:,} identical to the last bit"
    if check.max_rel is not None:
        text += f"; largest difference {check.max_abs:.3g} ({check.max_rel:.3g} of its column)"
    if name == "trajectory" and len(check.growth) > 1:
        text += "; growth: " + ", ".join(f"{rel:.1e} by visit {v}" for v, rel in check.growth)
    return text


def _told(check: Liveness) -> Iterator[str]:
    """Which inputs were changed, and which could not be."""
    names = list(check.groups)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    yield f"changed: {len(check.changed):,} input cells ({', '.join(names[:SHOWN])}{more})"
    if check.unchanged:
        yield f"not changed, since no change of it fits and shows: {', '.join(check.unchanged)}"


def _divergence(check: Check) -> list[str]:
    python, sheet = check.python_diverged_at, check.sheet_diverged_at
    if python is None and sheet is None:
        return []
    if python == sheet:
        return [f"  Both diverge at visit {python}: its numbers are too large for a sheet."]

    def said(visit: int | None) -> str:
        return "never" if visit is None else f"at visit {visit}"

    return [f"  Python diverges {said(python)}, the sheet {said(sheet)}."]


def _brief(value: float | str) -> str:
    return repr(value) if isinstance(value, str) else f"{value:.6g}"


def _shown(value: float | str | None) -> str:
    return "nothing" if value is None else value if isinstance(value, str) else repr(value)
