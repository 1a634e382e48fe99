"""The law of a run of formulas: what the next one down (or to the right) would be.

Each place of a formula's skeleton moves on evenly from cell to cell: not at all (``$B$2``),
with the cell (``B2``), or in steps of its own, as where step t of a training reads row t
of the data and the steps stand ten rows apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sheetnet.linting.cells import Axis
from sheetnet.linting.forms import Forms

Pair = tuple[int, int]


@dataclass(frozen=True)
class Law:
    """Formulas ``step`` apart in a line, from position ``start`` (below ``step``) on.

    ``bases`` are the rows and columns of the places at ``start``, ``slopes`` what is added
    to them at each step. ``form`` is that of one of the formulas, whose ``$`` count.
    """

    skeleton: int
    step: int
    start: int
    bases: tuple[Pair, ...]
    slopes: tuple[Pair, ...]
    form: int = field(compare=False)

    def targets(self, position: int) -> list[Pair]:
        """Where the places would point at a position."""
        n = (position - self.start) // self.step
        return [
            (row + n * down, column + n * right)
            for (row, column), (down, right) in zip(self.bases, self.slopes, strict=True)
        ]


def natural_law(forms: Forms, number: int, axis: Axis, line: int, position: int, step: int) -> Law:
    """The law of filling down or right, as the ``$`` of a formula say."""
    form = forms.form(number)
    slopes = tuple(
        (0 if r.row_fixed else step, 0) if axis.down else (0, 0 if r.column_fixed else step)
        for r in form.references
    )
    return _law(
        form.number, step, position, form.targets(*axis.place(line, position)), slopes, number
    )


def stepping_law(
    forms: Forms, numbers: Pair, axis: Axis, line: int, position: int, step: int
) -> Law:
    """The law of two formulas one after the other, of one skeleton."""
    first, second = (
        forms.form(number).targets(*axis.place(line, position + i * step))
        for i, number in enumerate(numbers)
    )
    slopes = tuple(
        (after[0] - before[0], after[1] - before[1])
        for before, after in zip(first, second, strict=True)
    )
    return _law(forms.form(numbers[0]).number, step, position, first, slopes, numbers[0])


def _law(
    skeleton: int,
    step: int,
    position: int,
    targets: Sequence[Pair],
    slopes: tuple[Pair, ...],
    form: int,
) -> Law:
    n, start = divmod(position, step)
    bases = tuple(
        (row - n * down, column - n * right)
        for (row, column), (down, right) in zip(targets, slopes, strict=True)
    )
    return Law(skeleton, step, start, bases, slopes, form)


def fits(forms: Forms, law: Law, number: int, axis: Axis, line: int, position: int) -> bool:
    """Whether a formula reads what the law would have it read."""
    form = forms.form(number)
    return form.number == law.skeleton and list(
        form.targets(*axis.place(line, position))
    ) == law.targets(position)


def same_signs(forms: Forms, law: Law, number: int, axis: Axis) -> bool:
    """Whether a formula's ``$`` are the law's, as far as they matter in this direction."""
    ours, theirs = forms.form(law.form).references, forms.form(number).references
    if axis.down:
        return all(a.row_fixed == b.row_fixed for a, b in zip(ours, theirs, strict=True))
    return all(a.column_fixed == b.column_fixed for a, b in zip(ours, theirs, strict=True))
