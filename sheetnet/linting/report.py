"""What a lint found, as text and as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from dataclasses import dataclass

SHOWN = 200
"""Findings that the text lists; JSON has all."""

KINDS = {
    "formula": "a formula that breaks the pattern of its column or row",
    "dollar": "a reference that lacks a $, or has one too many, beside its neighbours",
    "number": "a number among formulas",
    "text": "a text among formulas",
    "missing": "nothing among formulas",
    "empty": "a formula that reads an empty cell",
    "operand": "a formula that calculates with a text",
    "error": "a formula whose saved value is an error, and that reads none",
    "skips": "a sum that stops before the cells next to it",
}


@dataclass(frozen=True)
class Finding:
    """A cell, or a run of cells, that looks wrong.

    Attributes
    ----------
    cells: ``D5`` or ``D5:D44``; count: how many.
    kind: one of :data:`KINDS`.
    holds: what stands in its first cell; pattern: what the pattern of its neighbours would
        have there, None where it follows it; along: the direction of the pattern,
        ``column`` or ``row``; note: what else is to be said.

    """

    sheet: str
    cells: str
    count: int
    kind: str
    holds: str
    pattern: str | None = None
    along: str | None = None
    note: str | None = None

    def __str__(self) -> str:
        parts = [f"{self.sheet}!{self.cells}  {self.kind}: {_short(self.holds)}"]
        if self.pattern is not None:
            where = f"its {self.along} has" if self.along else "needed:"
            parts.append(f"{where} {_short(self.pattern)}")
        if self.note is not None:
            parts.append(self.note)
        return "; ".join(parts)


@dataclass(frozen=True)
class Report:
    """All findings, by sheet and place; ``notes`` are no faults."""

    path: str
    sheets: int
    formulas: int
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def to_json(self) -> str:
        """One JSON object."""
        found = [dataclasses.asdict(finding) for finding in self.findings]
        return json.dumps(
            {
                "clean": self.clean,
                "sheets": self.sheets,
                "formulas": self.formulas,
                "findings": found,
                "notes": list(self.notes),
            },
            indent=2,
            ensure_ascii=False,
        )

    def to_text(self) -> str:
        """One line for each finding and a summary."""
        lines = [str(finding) for finding in self.findings[:SHOWN]]
        if len(self.findings) > SHOWN:
            lines.append(f"... and {len(self.findings) - SHOWN:,} more (--json has all)")
        lines += [f"Note: {note}" for note in self.notes]
        return "\n".join([*lines, self._summary()])

    def _summary(self) -> str:
        read = f"{_count(self.formulas, 'formula')} in {_count(self.sheets, 'sheet')}"
        if self.clean:
            return f"{self.path}: no findings, {read}"
        counted = Counter(finding.kind for finding in self.findings)
        kinds = ", ".join(f"{counted[kind]} {kind}" for kind in KINDS if counted[kind])
        return f"{self.path}: {_count(len(self.findings), 'finding')} ({kinds}), {read}"


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 160 else text[:157] + "..."
