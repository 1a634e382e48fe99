"""Marked cells as findings: runs of one kind and one pattern together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sheetnet.linting.cells import SheetCells, Workbook
from sheetnet.linting.report import Finding
from sheetnet.regions import address


@dataclass(frozen=True)
class Mark:
    """What is wrong with a cell.

    ``form`` with places pointing to ``targets`` is what its pattern would have there,
    ``along`` the direction of the pattern, ``support`` how many cells follow it.
    ``read`` are the places of its formula that read what they should not.
    """

    kind: str
    form: int | None = None
    targets: tuple[tuple[int, int], ...] = ()
    along: str | None = None
    support: int = 0
    read: tuple[int, ...] = ()
    note: str | None = None

    def reading(self, kind: str, place: int, target: tuple[int, int], sheet: str | None) -> Mark:
        """The mark, told what the cell reads."""
        verb = "reads" if kind == "empty" else "calculates with"
        what = "empty" if kind == "empty" else "text"
        name = address(*target) if sheet is None else f"{sheet}!{address(*target)}"
        note = f"{verb} {what} {name}" if self.note is None else f"{self.note}, {name}"
        return replace(self, kind=kind, read=(*self.read, place), note=note)


_CONSTANTS = ("number", "text", "missing")

Place = tuple[int, int]


@dataclass(frozen=True)
class _Strip:
    """Marked cells of one column that go together."""

    column: int
    top: int
    bottom: int
    last_column: int


def findings_of(book: Workbook, cells: SheetCells, marks: Mapping[Place, Mark]) -> list[Finding]:
    """Findings by row and then by column of their first cell."""
    strips: list[_Strip] = []
    for row, column in sorted(marks, key=lambda place: (place[1], place[0])):
        last = strips[-1] if strips else None
        if (
            last is not None
            and (last.column, last.bottom) == (column, row - 1)
            and _alike(cells, marks, (row - 1, column), (row, column), across=False)
        ):
            strips[-1] = replace(last, bottom=row)
        else:
            strips.append(_Strip(column, row, row, column))
    joined: dict[tuple[int, int, int], _Strip] = {}
    for strip in strips:
        beside = joined.pop((strip.top, strip.bottom, strip.column - 1), None)
        places = (strip.top, strip.column - 1), (strip.top, strip.column)
        if beside is not None and _alike(cells, marks, *places, across=True):
            joined[strip.top, strip.bottom, strip.column] = replace(
                beside, last_column=strip.column
            )
            continue
        if beside is not None:
            joined[(strip.top, strip.bottom, strip.column - 1)] = beside
        joined[(strip.top, strip.bottom, strip.last_column)] = strip
    whole = sorted(joined.values(), key=lambda strip: (strip.top, strip.column))
    return [_finding(book, cells, marks, strip) for strip in whole]


def _alike(
    cells: SheetCells, marks: Mapping[Place, Mark], one: Place, two: Place, *, across: bool
) -> bool:
    """Whether two marked neighbours are one finding."""
    a, b = marks[one], marks[two]
    if (a.kind, a.along, a.read) != (b.kind, b.along, b.read):
        return False
    if a.kind in _CONSTANTS:
        return across or a.form == b.form
    return cells.token(*one) == cells.token(*two) and a.form == b.form


def _finding(
    book: Workbook, cells: SheetCells, marks: Mapping[Place, Mark], strip: _Strip
) -> Finding:
    mark = marks[strip.top, strip.column]
    first, last = address(strip.top, strip.column), address(strip.bottom, strip.last_column)
    pattern = None
    if mark.form is not None:
        pattern = book.forms.text(book.forms.form(mark.form), mark.targets)
    return Finding(
        sheet=cells.sheet.title,
        cells=first if first == last else f"{first}:{last}",
        count=(strip.bottom - strip.top + 1) * (strip.last_column - strip.column + 1),
        kind=mark.kind,
        holds=cells.holds(strip.top, strip.column, book.forms),
        pattern=pattern,
        along=mark.along,
        note=mark.note,
    )
