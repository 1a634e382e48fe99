"""A workbook that sheetnet wrote, with other formulas in some cells, or other saved values.

Both are put into the XML of its sheets, so that all else stays as it was exported; shared
formulas are numbered anew, so that their numbers do not tell which were changed.
"""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape, unescape

from sheetnet.classroom.columns import Column
from sheetnet.classroom.kinds import Content
from sheetnet.formula import Alternating, Formula
from sheetnet.reader.cells import BLANK, Values
from sheetnet.reader.package import open_package
from sheetnet.regions import address, column_number, letter

_CELL = re.compile(
    r'<c r="([A-Z]+)(\d+)"([^>]*)><f([^>]*?)(?:/>|>([^<]*)</f>)(?:<v>([^<]*)</v>|<v ?/>)?</c>'
)
_SHARED = re.compile(r' t="shared"(?: ref="([^"]*)")? si="(\d+)"')
_KIND = re.compile(r' t="\w*"')


@dataclass(frozen=True)
class Edit:
    """Rows ``first`` to ``last`` (from 0) of a column that hold something else."""

    column: Column
    first: int
    last: int
    content: Content

    @property
    def cells(self) -> str:
        """The cells: ``D5:D9``."""
        ends = self.column.address(self.first), self.column.address(self.last)
        return ends[0] if self.first == self.last else ":".join(ends)

    def text(self, offset: int) -> str:
        """What stands in one of its rows, as people read it."""
        if not isinstance(self.content, Formula):
            return repr(self.content)
        return f"={self.content.at(self.column.first_row + offset, self.column.first_row)}"


@dataclass(frozen=True)
class _Held:
    """A formula cell: its text, and the shared formula that it belongs to.

    ``shared`` tells shared formulas apart; ``span`` is there in the first cell of one.
    """

    text: str = ""
    shared: Hashable = None
    span: str = ""


def with_edits(source: Path, target: Path, edits: Sequence[Edit]) -> None:
    """Copy a workbook and change the cells of ``edits``; saved values stay as they are."""
    changes: dict[str, Callable[[str], str]] = {}
    for title in dict.fromkeys(edit.column.sheet for edit in edits):
        mine = [edit for edit in edits if edit.column.sheet == title]
        changes[title] = _Changer(mine).sheet
    _copy(source, target, changes)


def with_values(source: Path, target: Path, values: Callable[[str, int, int], Values]) -> None:
    """Copy a workbook and save these values in all cells of formulas."""
    titles = open_package(source).sheets

    def saver(title: str) -> Callable[[str], str]:
        return lambda xml: _with_values(xml, lambda *size: values(title, *size))

    _copy(source, target, {title: saver(title) for title in titles})


def _copy(source: Path, target: Path, changes: Mapping[str, Callable[[str], str]]) -> None:
    parts = {part: title for title, part in open_package(source).sheets.items()}
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            title = parts.get(info.filename, "")
            if title in changes:
                content = changes[title](content.decode()).encode()
            new.writestr(info, content)


class _Changer:
    """Rewrites the formulas of one sheet."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        self.held: dict[tuple[str, int], _Held | float] = {}
        self.numbers: dict[Hashable, int] = {}
        columns = {edit.column.label: edit.column for edit in edits}
        for label, column in columns.items():
            mine = [edit for edit in edits if edit.column.label == label]
            self._column(column, mine)

    def _column(self, column: Column, edits: Sequence[Edit]) -> None:
        contents: list[Content] = [column.formula] * column.rows
        for edit in edits:
            span = slice(edit.first, edit.last + 1)
            contents[span] = [edit.content] * (edit.last - edit.first + 1)
        place = letter(column.column)
        for run, (_, group) in enumerate(
            groupby(range(column.rows), key=lambda offset: _form(contents[offset], offset))
        ):
            offsets = list(group)
            content = contents[offsets[0]]
            for offset in offsets:
                row = column.first_row + offset
                if not isinstance(content, Formula):
                    self.held[(place, row)] = content
                    continue
                text = content.at(row, column.first_row)
                if len(offsets) == 1 or not content.shareable:
                    self.held[(place, row)] = _Held(text)
                    continue
                first = offset == offsets[0]
                reach = f"{column.address(offsets[0])}:{column.address(offsets[-1])}"
                self.held[(place, row)] = _Held(
                    text if first else "", (column.label, run), reach if first else ""
                )

    def sheet(self, xml: str) -> str:
        """The sheet with its formulas changed."""
        return _CELL.sub(self._cell, xml)

    def _cell(self, match: re.Match[str]) -> str:
        place, row, attributes, how, text, value = match.groups()
        held = self.held.get((place, int(row)))
        if isinstance(held, float):
            kind = _KIND.sub("", attributes)
            return f'<c r="{place}{row}"{kind}><v>{held + 0.0!r}</v></c>'
        if held is None:
            shared = _SHARED.search(how)
            if shared is None:
                return match[0]
            held = _Held(unescape(text or ""), shared[2], shared[1] or "")
        saved = "<v />" if value is None else f"<v>{value}</v>"
        return f'<c r="{place}{row}"{attributes}>{self._formula(held)}{saved}</c>'

    def _formula(self, held: _Held) -> str:
        if held.shared is None:
            return f"<f>{escape(held.text)}</f>"
        index = self.numbers.setdefault(held.shared, len(self.numbers))
        if not held.span:
            return f'<f t="shared" si="{index}"/>'
        return f'<f t="shared" ref="{held.span}" si="{index}">{escape(held.text)}</f>'


def _form(content: Content, offset: int) -> Hashable:
    """Rows of the same form hold the same, seen from their own cells."""
    if not isinstance(content, Formula):
        return id(content), offset
    signs = (step.at(offset) for step in content.steps if isinstance(step, Alternating))
    return id(content), content.text(offset), *signs


def _with_values(xml: str, values: Callable[[int, int], Values]) -> str:
    """The sheet with the values in all of its formula cells."""
    rows = columns = 0
    for match in _CELL.finditer(xml):
        rows, columns = max(rows, int(match[2])), max(columns, column_number(match[1]))
    if not rows:
        return xml
    held = values(rows, columns)

    def cell(match: re.Match[str]) -> str:
        place, row, attributes, how, text, _ = match.groups()
        found = held.at(int(row), column_number(place))
        formula = f"<f{how}/>" if text is None else f"<f{how}>{text}</f>"
        kind, shown = "", ""
        if isinstance(found, float):
            shown = repr(found + 0.0 if math.isfinite(found) else 0.0)
        elif found == BLANK:
            shown = "0"  # what an empty cell counts as
        else:
            kind = {"error": ' t="e"', "boolean": ' t="b"'}.get(found.kind, ' t="str"')
            truth = {"TRUE": "1", "FALSE": "0"}
            shown = truth[found.text] if found.kind == "boolean" else escape(found.text)
        rest = _KIND.sub("", attributes)
        return f'<c r="{place}{row}"{rest}{kind}>{formula}<v>{shown}</v></c>'

    return _CELL.sub(cell, xml)


def range_of(edits: Sequence[Edit]) -> str:
    """The cells of edits of the same rows, columns side by side as one range."""
    found: list[list[Edit]] = []
    for edit in edits:
        if found and found[-1][-1].column.column + 1 == edit.column.column:
            found[-1].append(edit)
        else:
            found.append([edit])
    return ", ".join(_span(run) for run in found)


def _span(run: Sequence[Edit]) -> str:
    first, last = run[0].column, run[-1].column
    top, bottom = first.first_row + run[0].first, first.first_row + run[0].last
    ends = address(top, first.column), address(bottom, last.column)
    return ends[0] if ends[0] == ends[1] else ":".join(ends)
