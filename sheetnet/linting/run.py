"""A lint from file to report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from sheetnet.errors import WorkbookError, nearest
from sheetnet.linting.cells import (
    ACROSS,
    CONSTANT_NUMBER,
    CONSTANT_TEXT,
    DOWN,
    NOTHING,
    SheetCells,
    Workbook,
    sheet_cells,
)
from sheetnet.linting.forms import Forms
from sheetnet.linting.grouping import Mark, findings_of
from sheetnet.linting.periods import periods_of, skeletons_of, stride
from sheetnet.linting.reads import Reads
from sheetnet.linting.report import Report
from sheetnet.linting.runs import runs_of
from sheetnet.linting.sums import short_sums
from sheetnet.linting.suspects import Court, Suspect
from sheetnet.reader.package import Package, open_package
from sheetnet.reader.sparse import MAX_CELLS, Ints, read_sparse


def lint(path: str | Path, *, sheet: str | None = None) -> Report:
    """Find cells of a workbook that look wrong beside their neighbours.

    Works on any xlsx. Time grows with the cells and, where formulas are not shared and not
    filled evenly, with their runs: a million formulas of a ledger take about ten seconds
    and a fifth of a gigabyte, up to forty seconds where signs and rows alternate. Raises
    :class:`WorkbookError` where the file cannot be read or has no such ``sheet``.
    """
    package = open_package(path)
    if sheet is not None and sheet not in package.sheets:
        near = nearest(sheet, package.sheets)
        raise WorkbookError(
            f"{package.path.name} has no sheet {sheet!r}{near}; it has: {', '.join(package.sheets)}"
        )
    book = _read(package)
    skeletons = skeletons_of(book.forms)
    reads = Reads(book)
    chosen = [sheet] if sheet is not None else list(book.sheets)
    findings, notes, formulas = [], [], 0
    broken = {title: marks_of_patterns(book, book.sheets[title], skeletons) for title in chosen}
    for title in chosen:
        cells = book.sheets[title]
        formulas += int((cells.sheet.forms >= 0).sum())
        marks = _marks_of_reads(reads, cells, broken)
        marks = {**broken[title], **marks}
        errors, overflow = _marks_of_errors(reads, cells, marks)
        marks.update(errors)
        for place, mark in short_sums(book, cells):
            marks.setdefault(place, mark)
        findings += findings_of(book, cells, marks)
        notes += overflow
    return Report(str(path), len(chosen), formulas, tuple(findings), tuple(notes))


def _read(package: Package) -> Workbook:
    forms = Forms(package.sheets)
    sheets: dict[str, SheetCells] = {}
    left = MAX_CELLS
    for title in package.sheets:
        read = read_sparse(package, title, forms.number, left)
        left -= len(read.rows)
        sheets[title] = sheet_cells(read)
    return Workbook(sheets, forms)


Marks = dict[tuple[int, int], Mark]


def marks_of_patterns(book: Workbook, cells: SheetCells, skeletons: Ints) -> Marks:
    """The cells that break a pattern; of two patterns, that which more cells follow."""
    found: Marks = {}
    for suspect in _suspects(book, cells, skeletons):
        run = suspect.run
        for i in range(run.count):
            position = run.start + i * run.step
            place = suspect.axis.place(suspect.line, position)
            known = found.get(place)
            if known is None or known.support < suspect.support:
                found[place] = _mark(suspect, position)
    return found


def _mark(suspect: Suspect, position: int) -> Mark:
    run, law = suspect.run, suspect.law
    kinds = {CONSTANT_NUMBER: "number", CONSTANT_TEXT: "text", NOTHING: "missing"}
    kind = "dollar" if run.other_signs else kinds.get(run.token, "formula")
    return Mark(
        kind,
        form=law.form,
        targets=tuple(law.targets(position)),
        along=suspect.axis.name,
        support=suspect.support,
    )


def _suspects(book: Workbook, cells: SheetCells, skeletons: Ints) -> Iterator[Suspect]:
    down, across = cells.down, cells.across
    lengths_down = np.empty_like(across.tokens)
    lengths_down[cells.order_down] = down.lengths
    lengths_across = across.lengths[cells.order_down]
    for axis, lines, other in ((DOWN, down, lengths_across), (ACROSS, across, lengths_down)):
        court = Court(book, cells, axis)
        periods = periods_of(lines, skeletons)
        for n, (line, positions, tokens) in enumerate(lines.each()):
            size = int((tokens >= 0).sum())
            first, end = int(lines.starts[n]), int(lines.starts[n + 1])
            if size < 3 or int(other[first:end].min()) >= size:
                continue  # every cell has more on its side across than this line could hold
            crosswise = dict(zip(positions.tolist(), other[first:end].tolist(), strict=True))
            shifts = periods.get(line, (1,))
            yield from _of_line(court, line, positions, tokens, shifts, crosswise)


def _of_line(
    court: Court,
    line: int,
    positions: Ints,
    tokens: Ints,
    shifts: tuple[int, ...],
    crosswise: Mapping[int, int],
) -> Iterator[Suspect]:
    """The suspects of a line; what follows the pattern of its blocks is none."""
    lawful: set[int] = set()
    forms, axis = court.book.forms, court.axis
    for shift in reversed(shifts):
        for part_positions, part_tokens in stride(positions, tokens, shift):
            runs = runs_of(forms, axis, line, part_positions, part_tokens, shift)
            suspects = [
                s for s in court.suspects(line, runs, crosswise) if s.run.start not in lawful
            ]
            yield from suspects
            if shift > 1:
                accused = {s.run.start for s in suspects}
                for run in runs:
                    if run.law is not None and run.count >= 3 and run.start not in accused:
                        lawful.update(range(run.start, run.last + 1, shift))


def _marks_of_reads(reads: Reads, cells: SheetCells, broken: Mapping[str, Marks]) -> Marks:
    """Cells that read nothing, or a text as a number.

    A missing cell that is a finding itself is not reported once more by its readers.
    """
    found: Marks = {}
    sheet = cells.sheet
    for kind, readings in (("empty", reads.empty(cells)), ("operand", reads.texts(cells))):
        for reading in readings:
            place = int(sheet.rows[reading.index]), int(sheet.columns[reading.index])
            use = reads.book.forms.uses(int(sheet.forms[reading.index]))[reading.place]
            target = reading.row, reading.column
            there = reads.book.find(cells, use.sheet)
            known = broken.get(there.sheet.title, {}).get(target) if there is not None else None
            if known is not None and known.kind in ("missing", "text"):
                continue
            mark = found.get(place) or broken[sheet.title].get(place) or Mark(kind)
            found[place] = mark.reading(kind, reading.place, target, use.sheet)
    return found


def _marks_of_errors(reads: Reads, cells: SheetCells, marks: Marks) -> tuple[Marks, list[str]]:
    """Where saved errors begin; numbers that grow too large are a note, no finding."""
    found: Marks = {}
    sheet = cells.sheet
    first: tuple[int, int] | None = None
    for index in reads.errors(cells):
        place = int(sheet.rows[index]), int(sheet.columns[index])
        text = sheet.texts.get(index, "")
        if place in marks:
            continue
        if text == "#NUM!":
            first = first or place
            continue
        found[place] = Mark("error", note=f"saved value {text}")
    return found, [_overflow(cells, first)] if first is not None else []


def _overflow(cells: SheetCells, place: tuple[int, int]) -> str:
    from sheetnet.reader.cells import where

    at = where(cells.sheet.title, *place)
    return f"{at} holds #NUM!: from there on numbers are too large, as in a run that diverges"
