"""What a comparison found, as text with a picture and as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass

from sheetnet.comparing.trainings import Growth, Trainings
from sheetnet.differences import Inputs, listed, shown
from sheetnet.output import finite

WIDTH, DECADES = 16, 16
"""Letters of the widest bar, and the powers of ten that it spans, up to 1."""

_EIGHTHS = " ▏▎▍▌▋▊▉"
_FULL = "█"


@dataclass(frozen=True)
class Comparison:
    """Two workbooks: their inputs that differ, and how their trainings part."""

    a: str
    b: str
    inputs: Inputs
    trainings: Trainings

    @property
    def equal(self) -> bool:
        """Whether inputs and trainings are the same, to the last bit."""
        return self.inputs.equal and self.trainings.equal

    def to_json(self) -> str:
        """One JSON object."""
        found = {
            "equal": self.equal,
            "a": self.a,
            "b": self.b,
            "inputs": dataclasses.asdict(self.inputs),
            "trainings": dataclasses.asdict(self.trainings),
        }
        return json.dumps(finite(found), indent=2, ensure_ascii=False, allow_nan=False)

    def to_text(self) -> str:
        """The differences, where the trainings part, a table with bars."""
        lines = [f"A: {self.a}", f"B: {self.b}"]
        if self.equal:
            return "\n".join([*lines, self._same()])
        for title, differences in self.inputs.kinds:
            lines += listed(title, differences, " | ")
        if self.inputs.equal:
            lines.append("All inputs are the same.")
        lines += [*_parting(self.trainings), *_table(self.trainings)]
        lines.append("Both trainings are Python's; sheetnet verify tells whether a sheet agrees.")
        return "\n".join(lines)

    def _same(self) -> str:
        visits = self.trainings.visits[0]
        return (
            f"No difference: the same inputs, and {visits:,} visits that agree to the last bit "
            "(both trained in Python; sheetnet verify tells whether a sheet agrees)."
        )


def _parting(trainings: Trainings) -> list[str]:
    lines = []
    parting = trainings.parting
    if parting is not None:
        a, b = shown(parting.a), shown(parting.b)
        lines.append(
            f"The trainings part at visit {parting.visit} (epoch {parting.epoch}): "
            f"{parting.quantity} is {a} | {b}"
        )
    elif not trainings.alike:
        lines.append(
            "The trainings cannot be compared visit by visit: network or rows are of another size."
        )
    else:
        lines.append(f"The first {min(trainings.visits):,} visits agree to the last bit.")
    if trainings.visits[0] != trainings.visits[1]:
        lines.append(f"Visits: {trainings.visits[0]:,} | {trainings.visits[1]:,}")
    if any(trainings.diverged):
        said = ["never" if v is None else f"at visit {v}" for v in trainings.diverged]
        lines.append(f"Diverges: {said[0]} | {said[1]}")
    return lines


def _table(trainings: Trainings) -> list[str]:
    lines = [f"{trainings.by:>8}  {'loss A':>12}  {'loss B':>12}"]
    if trainings.alike:
        lines[0] += f"  {'weights apart':>13}  1e-{DECADES}{'1':>{WIDTH - 5}}"
    for row in trainings.growth:
        text = f"{row.at:>8}  {_loss(row.loss_a):>12}  {_loss(row.loss_b):>12}"
        if trainings.alike:
            text += f"  {_apart(row):>13}  {bar(row.weights)}"
        lines.append(text.rstrip())
    return lines


def _loss(value: float | None) -> str:
    return "no number" if value is None else f"{value:.6g}"


def _apart(row: Growth) -> str:
    if row.weights is None:
        return ""
    return "one diverges" if math.isinf(row.weights) else f"{row.weights:.2e}"


def bar(value: float | None) -> str:
    """A bar whose length is the logarithm of a difference, from 1e-16 (nothing) to 1."""
    if not value:
        return ""
    share = min(max(math.log10(min(value, 1.0)) / DECADES + 1, 0.0), 1.0)
    eighths = max(1, round(share * WIDTH * 8))
    return _FULL * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
