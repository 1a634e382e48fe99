"""What formulas read: cells that are empty, texts where numbers are needed, saved errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sheetnet.limits import MAX_COLUMNS, MAX_ROWS
from sheetnet.linting.cells import NOTHING, SheetCells, Workbook
from sheetnet.linting.forms import Use
from sheetnet.reader.sparse import ERROR, TEXT

CHUNK = 100_000
"""Formula cells that are looked at together."""

MAX_WIDTH = 64
"""Columns of a range that is searched for content; wider ones are taken to have some."""

Indices = NDArray[np.intp]
Longs = NDArray[np.int64]


@dataclass(frozen=True)
class Reading:
    """A cell that reads another: ``place`` counts the places of its formula."""

    index: int
    place: int
    row: int
    column: int


@dataclass(frozen=True)
class _Places:
    """The places of all forms in one row of columns; those of form f from ``first[f]`` on."""

    first: Longs
    counts: Longs
    packed: Longs
    uses: tuple[Use, ...]
    kinds: Indices


@dataclass(frozen=True)
class Reads:
    """All references of a workbook's formulas, looked up together."""

    book: Workbook

    @cached_property
    def _places(self) -> _Places:
        return _places(self.book)

    def empty(self, cells: SheetCells) -> Iterator[Reading]:
        """References to cells, or to whole ranges, in which nothing stands."""
        yield from self._wrong(cells, empty=True)

    def texts(self, cells: SheetCells) -> Iterator[Reading]:
        """Operands of + - * / ^ that are texts."""
        yield from self._wrong(cells, empty=False)

    def errors(self, cells: SheetCells) -> Iterator[int]:
        """Formulas with a saved error that read no error: where the errors begin."""
        wrong = np.flatnonzero(
            (cells.sheet.kinds == ERROR) & (cells.sheet.forms >= 0) & (cells.tokens != NOTHING)
        )
        later: set[int] = set()
        for indices, places, rows, columns in self._expanded(cells, wrong):
            for place in np.unique(self._places.kinds[places]).tolist():
                use = self._places.uses[place]
                target = self.book.find(cells, use.sheet)
                if target is None:
                    continue
                mask = self._places.kinds[places] == place
                ends = mask
                if use.opens:  # a range: any error inside of it
                    nexts = np.flatnonzero(mask) + 1
                    for at, end in zip(np.flatnonzero(mask).tolist(), nexts.tolist(), strict=True):
                        if _error_inside(target, rows, columns, at, end):
                            later.add(int(indices[at]))
                    continue
                kinds = _kinds_at(target, rows[ends], columns[ends])
                later.update(indices[ends][kinds == ERROR].tolist())
        yield from (int(i) for i in wrong.tolist() if i not in later)

    def _expanded(
        self, cells: SheetCells, chosen: Indices
    ) -> Iterator[tuple[Indices, Longs, Longs, Longs]]:
        """Of chosen formula cells, each place: cell's index, place, row and column meant."""
        places = self._places
        for start in range(0, len(chosen), CHUNK):
            part = chosen[start : start + CHUNK]
            forms = cells.sheet.forms[part].astype(np.int64)
            counts = places.counts[forms]
            owner = np.repeat(np.arange(len(part)), counts)
            before = np.concatenate(([0], np.cumsum(counts)[:-1])) if len(part) else counts
            place = np.arange(len(owner)) - before[owner] + places.first[forms[owner]]
            indices = part[owner]
            packed = places.packed[place]
            rows = packed[:, 0] + np.where(packed[:, 1] != 0, 0, cells.sheet.rows[indices])
            columns = packed[:, 2] + np.where(packed[:, 3] != 0, 0, cells.sheet.columns[indices])
            yield indices, place, rows, columns

    def _wrong(self, cells: SheetCells, *, empty: bool) -> Iterator[Reading]:
        chosen = np.flatnonzero((cells.sheet.forms >= 0) & (cells.tokens >= 0))
        places = self._places
        for indices, place, rows, columns in self._expanded(cells, chosen):
            kinds = places.kinds[place]
            for kind in np.unique(kinds).tolist():
                use = places.uses[kind]
                target = self.book.find(cells, use.sheet)
                skipped = use.free if empty else not use.arithmetic
                if target is None or skipped or use.whole or use.closes:
                    continue
                at = np.flatnonzero(kinds == kind)
                inside = (
                    (rows[at] >= 1)
                    & (rows[at] <= MAX_ROWS)
                    & (columns[at] >= 1)
                    & (columns[at] <= MAX_COLUMNS)
                )
                at = at[inside]
                if not empty:
                    wrong = _kinds_at(target, rows[at], columns[at]) == TEXT
                elif use.opens:
                    wrong = _nothing_in(
                        target, rows[at], columns[at], rows[at + 1], columns[at + 1]
                    )
                else:
                    wrong = ~_filled(target, rows[at], columns[at])
                for i in at[wrong].tolist():
                    first = places.first[cells.sheet.forms[indices[i]]]
                    yield Reading(
                        int(indices[i]), int(place[i] - first), int(rows[i]), int(columns[i])
                    )


def _places(book: Workbook) -> _Places:
    forms = book.forms
    kinds: dict[Use, int] = {}
    of_skeleton: dict[int, list[int]] = {}
    counts, numbers, packed = [], [], []
    for number, key in enumerate(forms.keys):
        values = np.frombuffer(key, np.int32)
        skeleton = int(values[0])
        if skeleton not in of_skeleton:
            of_skeleton[skeleton] = [
                kinds.setdefault(use, len(kinds)) for use in forms.uses(number)
            ]
        counts.append((len(values) - 1) // 4)
        numbers.append(of_skeleton[skeleton])
        packed.append(values[1:])
    count = np.array(counts, np.int64)
    first = np.concatenate(([0], np.cumsum(count)[:-1])) if len(count) else count
    joined = np.concatenate(packed) if packed else np.zeros(0, np.int32)
    every = np.array([kind for own in numbers for kind in own], np.intp)
    return _Places(first, count, joined.reshape(-1, 4).astype(np.int64), tuple(kinds), every)


def _found(keys: Longs, wanted: Longs) -> Indices:
    """Where each key stands, -1 where it is not there."""
    if not len(keys):
        return np.full(len(wanted), -1, np.intp)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, at, -1)


def _kinds_at(cells: SheetCells, rows: Longs, columns: Longs) -> NDArray[np.int8]:
    """The kinds of cells, 0 where nothing stands."""
    at = _found(cells.keys, rows * (MAX_COLUMNS + 1) + columns)
    if not len(cells.sheet.kinds):
        return np.zeros(len(at), np.int8)
    return np.where(at >= 0, cells.sheet.kinds[at], 0).astype(np.int8)


def _filled(cells: SheetCells, rows: Longs, columns: Longs) -> NDArray[np.bool_]:
    """Whether something stands in each cell."""
    return _found(cells.by_row, rows * (MAX_COLUMNS + 1) + columns) >= 0


def _nothing_in(
    cells: SheetCells, top: Longs, left: Longs, bottom: Longs, right: Longs
) -> NDArray[np.bool_]:
    """Whether nothing stands in each rectangle."""
    top, bottom = np.minimum(top, bottom), np.maximum(top, bottom)
    left, right = np.minimum(left, right), np.maximum(left, right)
    empty = right - left < MAX_WIDTH
    one = top == bottom
    first = np.searchsorted(cells.by_row, top * (MAX_COLUMNS + 1) + left, side="left")
    last = np.searchsorted(cells.by_row, top * (MAX_COLUMNS + 1) + right, side="right")
    none_across = first == last
    wide = int((right - left)[empty & ~one].max(initial=-1))
    for offset in range(wide + 1):
        column = left + offset
        base = column * (MAX_ROWS + 1)
        first = np.searchsorted(cells.by_column, base + top, side="left")
        last = np.searchsorted(cells.by_column, base + bottom, side="right")
        empty &= one | (column > right) | (first == last)
    return np.where(one, none_across, empty)


def _error_inside(cells: SheetCells, rows: Longs, columns: Longs, at: int, end: int) -> bool:
    """Whether a range of cells holds an error; its corners are two places in a row."""
    top, bottom = sorted((int(rows[at]), int(rows[end])))
    left, right = sorted((int(columns[at]), int(columns[end])))
    first, last = np.searchsorted(cells.sheet.rows, [top, bottom + 1]).tolist()
    held = cells.sheet.columns[first:last]
    inside = (held >= left) & (held <= right) & (cells.sheet.kinds[first:last] == ERROR)
    return bool(inside.any())
