"""The rows of long sheets as XML, straight from blocks of numbers.

openpyxl cannot store a formula together with its value and writes 16 digits; here
every formula cell carries its value, numbers have the 17 digits that give back the
same float, and formulas of one column are shared (ECMA-376 part 1, 18.3.1.40).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.formula import Formula, Step
from sheetnet.regions import address, letter

ERROR = "#NUM!"
"""What a sheet shows for a number it cannot hold."""


@dataclass(frozen=True)
class StreamColumn:
    """One column: ``style`` is the index that the saved styles give its cells.

    ``first_style`` is that of the rows with the formula's ``first`` text, where they look
    different. ``texts`` (one per row) makes it a column of texts; ``whole`` of whole numbers.
    """

    column: int
    style: int
    formula: Formula | None = None
    texts: tuple[str, ...] | None = None
    whole: bool = False
    first_style: int | None = None

    def style_at(self, offset: int) -> int:
        """The style ``offset`` rows below the first."""
        if self.first_style is None or self.formula is None or offset >= self.formula.first_rows:
            return self.style
        return self.first_style


@dataclass(frozen=True)
class Stream:
    """Rows to be written from ``first_row`` on.

    ``blocks`` yields arrays (rows, columns) in the order of ``columns``, nan for an
    error; the numbers of a text column are not used.
    """

    first_row: int
    rows: int
    columns: tuple[StreamColumn, ...]
    blocks: Iterable[Array]

    @property
    def last_row(self) -> int:
        """The bottom row."""
        return self.first_row + self.rows - 1

    @property
    def last_column(self) -> int:
        """The rightmost column."""
        return self.columns[-1].column


@dataclass(frozen=True)
class Beside:
    """What else a row has: attributes, and cells left of the stream's, as XML."""

    attributes: str
    cells: str


def row_xml(
    stream: Stream, beside: Mapping[int, Beside] | None = None, first_index: int = 0
) -> Iterator[bytes]:
    """Yield the ``<row>`` elements, a block of rows at a time, as UTF-8.

    ``first_index`` is that of its first shared formula: no two of a sheet may be the same.
    """
    beside = beside or {}
    columns = stream.columns
    shared = _shared_from(stream, first_index)
    later = _LaterRows(stream, shared)
    whole = [i for i, column in enumerate(columns) if column.whole]
    text = [(i, column.texts) for i, column in enumerate(columns) if column.texts is not None]
    row = stream.first_row
    for block in stream.blocks:
        lines = []
        finite = np.asarray(np.isfinite(block).all(axis=1)).tolist()
        for values, fine in zip((block + 0.0).tolist(), finite, strict=True):
            offset = row - stream.first_row
            cells: list[object] = list(map(repr, values))
            for i in whole:
                cells[i] = "%d" % values[i] if fine else repr(values[i])
            for i, texts in text:
                cells[i] = escape(texts[offset])
            if fine and later.holds(offset):
                template = later.template(offset)
            else:
                errors = [math.isnan(value) for value in values]
                for i, _ in text:
                    errors[i] = False
                template = _special_row(stream, row, shared, errors)
                cells = [
                    ERROR if error else cell for cell, error in zip(cells, errors, strict=True)
                ]
            line = template.replace(_ROW, str(row)) % tuple(cells)
            if row in beside:
                line = _joined(line, beside[row])
            lines.append(line)
            row += 1
        yield "".join(lines).encode()


def _joined(line: str, left: Beside) -> str:
    start, _, cells = line.partition(">")
    return f"{start}{left.attributes}>{left.cells}{cells}"


_ROW = "\0"
"""Stands for the row's number in the template of later rows."""


@dataclass(frozen=True)
class _Shared:
    """The shared formulas of one column: one, or one for each stretch of rows.

    ``start`` and ``end`` are the offsets of the first and the last row, ``every`` the rows
    of a stretch.
    """

    index: Step
    start: int
    end: int
    every: int

    def rows(self, offset: int) -> tuple[int, int]:
        """Offsets of the first and the last row of the formula that holds for this row."""
        top = offset // self.every * self.every
        return max(self.start, top), min(self.end, top + self.every - 1)


class _LaterRows:
    """The templates of all rows but those that begin a shared formula: formulas seldom change.

    What moves on with the row but is not its number (a formula's steps, the indices of
    shared formulas) is filled in anew for each row.
    """

    def __init__(self, stream: Stream, shared: dict[int, _Shared]) -> None:
        self.stream, self.shared = stream, shared
        formulas = [c.formula for c in stream.columns if c.formula is not None]
        self.changes = sorted({f.first_rows for f in formulas if f.first_rows > 1})
        found = dict.fromkeys(step for f in formulas if not f.shareable for step in f.steps)
        self.marks = [(step, f"\1{i}\1") for i, step in enumerate(found)]
        self.starts = {run.start for run in shared.values()}
        self.everies = {run.every for run in shared.values()}
        self.templates: dict[int, str] = {}
        self.stretch: tuple[int, ...] = ()

    def holds(self, offset: int) -> bool:
        """Whether the row begins no shared formula."""
        return (
            offset > 1
            and offset not in self.starts
            and all(offset % every for every in self.everies)
        )

    def template(self, offset: int) -> str:
        """The template of a row, NUL in place of its number."""
        stretch = tuple(offset // every for every in self.everies)
        if stretch != self.stretch:
            self.templates, self.stretch = {}, stretch
        change = sum(offset >= change for change in self.changes)
        text = self.templates.get(change)
        if text is None:
            cells = [self._cell(i, offset) for i in range(len(self.stream.columns))]
            text = f'<row r="{_ROW}">{"".join(cells)}</row>'
            self.templates[change] = text
        for step, mark in self.marks:
            text = text.replace(mark, str(step.at(offset)))
        return text

    def _cell(self, i: int, offset: int) -> str:
        column = self.stream.columns[i]
        formula = column.formula
        if formula is None:
            return _cell(column, _ROW, offset, "")
        if i in self.shared and offset >= self.shared[i].start:
            index = self.shared[i].index.at(offset)
            return _cell(column, _ROW, offset, f'<f t="shared" si="{index}"/>')
        text = formula.text(offset).replace("{r}", _ROW)
        for step, mark in self.marks:
            if step in formula.steps:
                text = text.replace(step.key, mark)
        assert "{p}" not in text  # a formula that looks back stays on its sheet: it is shared
        return _cell(column, _ROW, offset, f"<f>{_escaped(text)}</f>")


def shared_formulas(stream: Stream) -> int:
    """How many shared formulas a stream has."""
    runs = _shared_from(stream, 0).values()
    return sum(-(-stream.rows // run.every) for run in runs)


def _shared_from(stream: Stream, first_index: int) -> dict[int, _Shared]:
    """Column -> its shared formulas."""
    shared: dict[int, _Shared] = {}
    count = first_index
    for i, column in enumerate(stream.columns):
        formula = column.formula
        if formula is None or not formula.shareable:
            continue
        start = 0 if formula.uniform else formula.first_rows
        if start < stream.rows - 1:
            every = formula.stretch or stream.rows
            shared[i] = _Shared(Step("", count, every), start, stream.rows - 1, every)
            count += -(-stream.rows // every)
    return shared


def _special_row(stream: Stream, row: int, shared: dict[int, _Shared], errors: list[bool]) -> str:
    """The template of a row that holds anchors of shared formulas, or errors."""
    offset = row - stream.first_row
    cells = [
        _cell(column, str(row), offset, _formula(stream, i, shared, row), error=errors[i])
        for i, column in enumerate(stream.columns)
    ]
    return f'<row r="{row}">{"".join(cells)}</row>'


def _cell(column: StreamColumn, row: str, offset: int, formula: str, *, error: bool = False) -> str:
    """One cell as a ``%`` template with a single place for its value."""
    kind = ' t="e"' if error else ' t="inlineStr"' if column.texts is not None else ""
    head = f'<c r="{letter(column.column)}{row}" s="{column.style_at(offset)}"{kind}>'
    if column.texts is not None:
        return f'{head}<is><t xml:space="preserve">%s</t></is></c>'
    return f"{head}{formula}<v>%s</v></c>"


def _formula(stream: Stream, i: int, shared: dict[int, _Shared], row: int) -> str:
    column = stream.columns[i]
    formula = column.formula
    if formula is None:
        return ""
    text = _escaped(formula.at(row, stream.first_row))
    offset = row - stream.first_row
    if i not in shared or offset < shared[i].start:
        return f"<f>{text}</f>"
    first, last = (stream.first_row + at for at in shared[i].rows(offset))
    if first == last:
        return f"<f>{text}</f>"
    index = shared[i].index.at(offset)
    if row > first:
        return f'<f t="shared" si="{index}"/>'
    span = f"{address(first, column.column)}:{address(last, column.column)}"
    return f'<f t="shared" ref="{span}" si="{index}">{text}</f>'


def _escaped(text: str) -> str:
    """XML-escaped, and safe inside a ``%`` template."""
    return escape(text).replace("%", "%%")
