"""The rows of a stream as XML, straight from blocks of numbers.

openpyxl cannot store a formula together with its value and writes 16 digits; here
every formula cell carries its value, numbers have the 17 digits that give back the
same float, and formulas of one column are shared (ECMA-376 part 1, 18.3.1.40).

A row is a template of bytes that is filled with all of its numbers at once; orjson
formats a block of them (shortest digits that give back the same float, as ``repr``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np
import orjson

from sheetnet.concepts.arithmetic import Array
from sheetnet.formula import Step
from sheetnet.limits import escaped
from sheetnet.regions import address, letter
from sheetnet.workbook.stream import ERROR, Beside, Stream, StreamColumn

CHUNK_CELLS = 16_000
"""Cells of a chunk: about 1 MB of XML, which compression and the disk take at once."""


def row_xml(
    stream: Stream, beside: Mapping[int, Beside] | None = None, first_index: int = 0
) -> Iterator[bytes]:
    """Yield the ``<row>`` elements, a chunk of rows at a time, as UTF-8.

    ``first_index`` is that of its first shared formula: no two of a sheet may be the same.
    """
    beside = beside or {}
    columns = stream.columns
    templates = _Templates(stream, _shared_from(stream, first_index))
    whole = [i for i, column in enumerate(columns) if column.whole]
    text = [(i, column.texts) for i, column in enumerate(columns) if column.texts is not None]
    numbers = np.array([column.texts is None for column in columns])
    row = stream.first_row
    for block in _chunks(stream):
        lines = []
        errors = ~np.isfinite(block) & numbers
        flawed = errors.any(axis=1).tolist()
        for n, cells in enumerate(_formatted(block)):
            offset = row - stream.first_row
            for i in whole:
                cells[i] = cells[i].removesuffix(b".0")
            for i, texts in text:
                cells[i] = escape(escaped(texts[offset])).encode()
            if flawed[n]:
                for i in np.flatnonzero(errors[n]).tolist():
                    cells[i] = _ERROR
                template = templates.at(offset, errors[n])
            else:
                template = templates.at(offset)
            line = template.replace(_ROW_BYTES, b"%d" % row)
            if templates.looks_back:
                line = line.replace(_BEFORE_BYTES, b"%d" % (row - 1))
            line %= tuple(cells)
            if row in beside:
                line = _joined(line, beside[row])
            lines.append(line)
            row += 1
        yield b"".join(lines)


def _chunks(stream: Stream) -> Iterator[Array]:
    """The blocks, cut into chunks of whole rows; 0 has no sign."""
    rows = max(1, CHUNK_CELLS // len(stream.columns))
    for block in stream.blocks:
        for first in range(0, len(block), rows):
            yield np.ascontiguousarray(block[first : first + rows] + 0.0)


def _formatted(block: Array) -> Iterator[list[bytes]]:
    """The numbers of each row as a file holds them; errors have none."""
    text = orjson.dumps(block, option=orjson.OPT_SERIALIZE_NUMPY)
    for line in text[2:-2].split(b"],["):
        yield line.split(b",")


def _joined(line: bytes, left: Beside) -> bytes:
    start, _, cells = line.partition(b">")
    return start + f"{left.attributes}>{left.cells}".encode() + cells


_ROW = "\0"
"""Stands for the row's number in a template."""
_ROW_BYTES = _ROW.encode()
_BEFORE = "\2"
"""Stands for the number of the row before."""
_BEFORE_BYTES = _BEFORE.encode()
_ERROR = ERROR.encode()
_PATTERNS = 100
"""Templates of rows with errors that are kept: neighbours have theirs in the same columns."""


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


class _Templates:
    """The templates of rows: formulas, and columns with errors, seldom change from row to row.

    What moves on with the row but is not its number (a formula's steps, the indices of
    shared formulas) is filled in anew for each row.
    """

    def __init__(self, stream: Stream, shared: dict[int, _Shared]) -> None:
        self.stream, self.shared = stream, shared
        formulas = [c.formula for c in stream.columns if c.formula is not None]
        self.changes = sorted({f.first_rows for f in formulas if f.first_rows > 1})
        found = dict.fromkeys(step for f in formulas if not f.shareable for step in f.steps)
        self.marks = [(step, f"\1{i}\1") for i, step in enumerate(found)]
        self.looks_back = any("{p}" in f.rest for f in formulas if not f.shareable)
        self.starts = {0, 1, *(run.start for run in shared.values())}
        self.everies = {run.every for run in shared.values()}
        self.templates: dict[tuple[int, bytes], bytes] = {}
        self.stretch: tuple[int, ...] = ()

    def at(self, offset: int, errors: Array | None = None) -> bytes:
        """The template of a row, NUL in place of its number; ``errors`` says in which columns."""
        if offset in self.starts or not all(offset % every for every in self.everies):
            return self._row([self._first(i, offset) for i in self._columns], offset, errors)
        stretch = tuple(offset // every for every in self.everies)
        if stretch != self.stretch or len(self.templates) > _PATTERNS:
            self.templates, self.stretch = {}, stretch
        change = sum(offset >= change for change in self.changes)
        key = change, b"" if errors is None else errors.tobytes()
        template = self.templates.get(key)
        if template is None:
            formulas = [self._later(i, offset) for i in self._columns]
            template = self.templates[key] = self._row(formulas, offset, errors)
        for step, mark in self.marks:
            template = template.replace(mark.encode(), str(step.at(offset)).encode())
        return template

    @property
    def _columns(self) -> range:
        return range(len(self.stream.columns))

    def _row(self, formulas: list[str], offset: int, errors: Array | None) -> bytes:
        flaws = [False] * len(formulas) if errors is None else errors.tolist()
        cells = [
            _cell(column, offset, formula, error=error)
            for column, formula, error in zip(self.stream.columns, formulas, flaws, strict=True)
        ]
        return f'<row r="{_ROW}">{"".join(cells)}</row>'.encode()

    def _later(self, i: int, offset: int) -> str:
        """The formula of any row that begins no shared formula."""
        formula = self.stream.columns[i].formula
        if formula is None:
            return ""
        if i in self.shared and offset >= self.shared[i].start:
            return f'<f t="shared" si="{self.shared[i].index.at(offset)}"/>'
        text = formula.text(offset).replace("{r}", _ROW)
        for step, mark in self.marks:
            if step in formula.steps:
                text = text.replace(step.key, mark)
        return f"<f>{_escaped(text.replace('{p}', _BEFORE))}</f>"

    def _first(self, i: int, offset: int) -> str:
        """The formula of a row that may begin a shared one, or come before it."""
        column = self.stream.columns[i]
        formula, row = column.formula, self.stream.first_row + offset
        if formula is None:
            return ""
        text = _escaped(formula.at(row, self.stream.first_row))
        if i not in self.shared or offset < self.shared[i].start:
            return f"<f>{text}</f>"
        first, last = self.shared[i].rows(offset)
        if first == last:
            return f"<f>{text}</f>"
        index = self.shared[i].index.at(offset)
        if offset > first:
            return f'<f t="shared" si="{index}"/>'
        top, bottom = self.stream.first_row + first, self.stream.first_row + last
        span = f"{address(top, column.column)}:{address(bottom, column.column)}"
        return f'<f t="shared" ref="{span}" si="{index}">{text}</f>'


def shared_formulas(stream: Stream) -> int:
    """How many shared formulas a stream has."""
    runs = _shared_from(stream, 0).values()
    return sum(-(-stream.rows // run.every) for run in runs)


def bytes_at_most(stream: Stream) -> int:
    """More than the rows will have as XML: a cell with a shared formula stays below 100."""
    found = 0
    for column in stream.columns:
        formula = column.formula
        text = 0 if formula is None or formula.shareable else len(formula.rest)
        text += max(map(len, column.texts or ()), default=0)
        found += 120 + 5 * text  # each letter may be escaped, a row's number has 7 digits
    return found * stream.rows


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


def _cell(column: StreamColumn, offset: int, formula: str, *, error: bool) -> str:
    """One cell as a ``%`` template with a single place for its value."""
    kind = ' t="e"' if error else ' t="inlineStr"' if column.texts is not None else ""
    head = f'<c r="{letter(column.column)}{_ROW}" s="{column.style_at(offset)}"{kind}>'
    if column.texts is not None:
        return f'{head}<is><t xml:space="preserve">%b</t></is></c>'
    return f"{head}{formula}<v>%b</v></c>"


def _escaped(text: str) -> str:
    """XML-escaped, and safe inside a ``%`` template."""
    return escape(text).replace("%", "%%")
