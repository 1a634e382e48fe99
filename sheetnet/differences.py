"""Inputs that differ: of two workbooks, or of one and what it was at export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Value = float | int | str | bool | None

SHOWN = 10
"""Numbers of a kind that a text lists; of the structure it lists all."""

STRUCTURE = "structure"


@dataclass(frozen=True)
class Difference:
    """An input with two values; ``cell`` where it has one of its own."""

    name: str
    a: Value
    b: Value
    cell: str | None = None


@dataclass(frozen=True)
class Inputs:
    """The inputs that differ."""

    structure: tuple[Difference, ...]
    hyperparameters: tuple[Difference, ...]
    data: tuple[Difference, ...]
    weights: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        """Whether none differs."""
        return not any(differences for _, differences in self.kinds)

    @property
    def kinds(self) -> tuple[tuple[str, tuple[Difference, ...]], ...]:
        """Each kind of them with its title."""
        return (
            (STRUCTURE, self.structure),
            ("hyperparameters", self.hyperparameters),
            ("data", self.data),
            ("initial weights", self.weights),
        )


def listed(title: str, differences: Sequence[Difference], between: str) -> list[str]:
    """Lines that name differences, ``between`` their two values; none where there is none."""
    if not differences:
        return []
    lines = [f"{title}:"]
    some = differences if title == STRUCTURE else differences[:SHOWN]
    for found in some:
        where = f"{found.cell} " if found.cell else ""
        lines.append(f"  {where}{found.name}: {shown(found.a)}{between}{shown(found.b)}")
    if len(differences) > len(some):
        lines.append(f"  ... and {len(differences) - len(some):,} more")
    return lines


def shown(value: Value) -> str:
    """A value as texts show it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else text[:57] + "..."
