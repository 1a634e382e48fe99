"""Liveness: with other inputs, does the workbook still do what Python does?

A pasted number that happens to be right, or a formula that ignores the learning rate, is
seen as soon as the inputs change. All of them are changed at once in a copy; where a cell
does not follow, copies with fewer changes tell which one it should have followed.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.data import Label
from sheetnet.owned import scratch_folder
from sheetnet.problem import Problem
from sheetnet.reader.edits import edited_copy
from sheetnet.reader.normal import formula_text
from sheetnet.reader.package import Package
from sheetnet.reader.workbook import Book
from sheetnet.regions import CONFIG, DATA, INIT, Region
from sheetnet.verification.area import Area, Mask, Single
from sheetnet.verification.checks import Tolerance, compare, first_at_fault, value_check
from sheetnet.verification.look import Looked, look
from sheetnet.verification.perturbing import moved, shifted
from sheetnet.verification.report import Change, Check, Liveness
from sheetnet.views.view import Choice

Cell = tuple[int, int, int]
"""The number of an area, and a place in its arrays."""


def liveness_check(
    package: Package, engine: str, before: Looked, local: Tolerance, trajectory: Tolerance
) -> Check:
    """Change the inputs in a copy, recalculate it, train again and compare.

    ``first_failure`` is the first cell that does not follow, with a change that it should
    have followed; where all cells follow, the first that is wrong all the same.
    """
    problem = before.book.problem
    found = moved(problem, before.book.layout.ledgers, before.trained)
    rounds = [[*_choices(before.book), *changes(before.book, found.problem)]]
    rounds += [list(changes(before.book, other)) for other in found.alone]
    checks = []
    for changed in rounds:
        after = _after(package, engine, before, changed)
        check = value_check(after.areas, "python", trajectory)
        own = value_check(after.areas, "local", local, own=True)
        first = own.first_failure or check.first_failure
        if own.first_failure is not None and _dead(before, after, local):
            cause = _cause(package, engine, before, local, changed, _first(after, local))
            first = dataclasses.replace(own.first_failure, changed=cause)
        failures = max(check.failures, own.failures)
        done = dataclasses.replace(check, ok=failures == 0, failures=failures, first_failure=first)
        checks.append(done)
    return _together(checks, [change for each in rounds for change in each], found.left)


_ORDER = (CONFIG, INIT, DATA)


def _together(checks: Sequence[Check], changed: Sequence[Change], left: Sequence[str]) -> Liveness:
    def rank(change: Change) -> int:
        return _ORDER.index(change.sheet) if change.sheet in _ORDER else len(_ORDER)

    return Liveness(
        ok=all(check.ok for check in checks),
        cells=sum(check.cells for check in checks),
        identical=sum(check.identical or 0 for check in checks),
        failures=sum(check.failures for check in checks),
        max_abs=max(check.max_abs or 0.0 for check in checks),
        max_rel=max(check.max_rel or 0.0 for check in checks),
        first_failure=next((c.first_failure for c in checks if c.first_failure), None),
        changed=tuple(sorted(changed, key=rank)),
        unchanged=tuple(left),
    )


def _after(package: Package, engine: str, before: Looked, changed: Sequence[Change]) -> Looked:
    edits: dict[str, dict[tuple[int, int], float | str]] = {}
    for change in changed:
        edits.setdefault(change.sheet, {})[change.row, change.column] = change.after
    with scratch_folder() as folder:
        return look(edited_copy(package, folder, edits), engine, before)


def _failed(area: Area | Single, tolerance: Tolerance) -> Mask:
    return compare(area, area.values, area.local, tolerance).failed


def _first(after: Looked, tolerance: Tolerance) -> Cell:
    n, mask = first_at_fault(after.areas, [_failed(area, tolerance) for area in after.areas])
    r, c = map(int, np.argwhere(mask)[0])
    return n, r, c


def _dead(before: Looked, after: Looked, tolerance: Tolerance) -> bool:
    """Whether the first wrong cell was right before, or stands as it did and should not."""
    n, r, c = _first(after, tolerance)
    old, new = before.areas[n], after.areas[n]
    if not _failed(old, tolerance)[r, c]:
        return True
    row, column = new.place(r, c)
    stands = old.values.at(row, column) == new.values.at(row, column)
    return stands and not _same(old.local[r, c], new.local[r, c])


def _same(a: float, b: float) -> bool:
    return bool(a == b or (np.isnan(a) and np.isnan(b)))


def _cause(
    package: Package,
    engine: str,
    before: Looked,
    tolerance: Tolerance,
    changed: Sequence[Change],
    cell: Cell,
) -> Change:
    """The change that the cell does not follow: the last of the fewest, taken in order.

    Numbers of ``Config`` come last, so that what they do can be seen. As one of them may
    show only what another does, the cause is one without which the cell is right, first of
    all one that its formula should name and does not.
    """
    n, r, c = cell

    def wrong(part: Sequence[Change]) -> bool:
        area = _after(package, engine, before, part).areas[n]
        return bool(_failed(area, tolerance)[r, c])

    follows, fails = 0, len(changed)
    while fails - follows > 1:
        middle = (follows + fails) // 2
        if wrong(changed[:middle]):
            fails = middle
        else:
            follows = middle
    found = changed[fails - 1]
    area = before.areas[n]
    if found.sheet in (DATA, INIT) or area.file.formula(*area.place(r, c)) is None:
        return found
    numbers = [found, *(one for one in changed if one.sheet not in (DATA, INIT) and one != found)]
    held = _words(formula_text(area.file, *area.place(r, c)))
    missing = _words(area.wanted(r, c)) - held
    for one in sorted(numbers, key=lambda change: change.name not in missing):
        if not wrong([change for change in changed if change is not one]):
            return one
    return found


def _words(formula: str | None) -> set[str]:
    return set(re.findall(r"\w+", formula or ""))


# --- from problems to cells


def changes(book: Book, other: Problem) -> Iterator[Change]:
    """What differs on ``Data``, ``Init`` and ``Config``: cell by cell, in that order."""
    problem = book.problem
    regions, table, theirs = book.layout.data.regions, problem.table, other.table
    yield from _columns(
        regions["raw inputs"], table.input_names, table.inputs.tolist(), theirs.inputs.tolist()
    )
    ours = _goals(problem)
    yield from _columns(regions["raw targets"], table.target_names, ours, _goals(other))
    for layer in problem.network.layers:
        n, l = layer.index - 1, layer.index
        matrix, bias = book.layout.init.weights(layer), book.layout.init.bias(layer)
        yield from _cells(matrix, f"W{l}", problem.weights[n], other.weights[n])
        old, new = problem.biases[n][:, None], other.biases[n][:, None]
        yield from _cells(bias, f"b{l}", old, new)
    numbers = other.hyperparameters
    for name, value in problem.hyperparameters.items():
        if numbers[name] != value:
            yield Change(name, *book.names[name], value, numbers[name])


def _goals(problem: Problem) -> list[list[Label]]:
    table = problem.table
    if table.labels is not None:
        return [[label] for label in table.labels]
    return [] if table.targets is None else table.targets.tolist()


def _cells(region: Region, name: str, old: Array, new: Array) -> Iterator[Change]:
    yield from _columns(region, [name] * region.columns, old.tolist(), new.tolist())


def _columns(
    region: Region,
    names: Sequence[str],
    old: Sequence[Sequence[Label]],
    new: Sequence[Sequence[Label]],
) -> Iterator[Change]:
    for r, (ours, theirs) in enumerate(zip(old, new, strict=True)):
        for c, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            if a != b:
                yield Change(names[c], region.sheet, region.row + r, region.column + c, a, b)


def _choices(book: Book) -> Iterator[Change]:
    """Another step, another update, other typed inputs."""
    for view, chosen in zip(book.views, book.chosen, strict=True):
        for choice in view.choices:
            value = chosen[choice.name]
            other = _another(choice, value)
            if other != value:
                yield Change(choice.name, view.title, choice.row, choice.column, value, other)


def _another(choice: Choice, value: float) -> float:
    """Another value that may stand there, if there is one."""
    if not choice.whole:
        return float(shifted(np.array([[value]]), 0.1)[0, 0])
    low = 0.0 if choice.low is None else choice.low
    middle = (low + value) // 2
    high = np.inf if choice.high is None else choice.high
    return middle if middle != value else min(value + 1, high)
