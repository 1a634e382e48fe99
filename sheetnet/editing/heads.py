"""The head of ``Data``: where its columns are, and how they were scaled and coded at export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sheetnet.concepts.scaling import SCALINGS
from sheetnet.data_layout import (
    CODED_TITLE,
    INPUTS_TITLE,
    ONE_MEANS,
    ROW_HEAD,
    SCALED_INPUTS_TITLE,
    SCALED_TARGETS_TITLE,
    SET_HEAD,
    TARGET_TITLE,
    TARGETS_TITLE,
    DataLayout,
)
from sheetnet.errors import WorkbookError
from sheetnet.reader.cells import where
from sheetnet.regions import DATA

HIGHEST_HEAD = 20
"""The row of column names stands above it."""


@dataclass(frozen=True)
class Heads:
    """What stands above the rows."""

    book: str
    cells: dict[tuple[int, int], float | str]

    def layout(self, last_row: int) -> DataLayout:
        """Where the columns are; all rows down to the last one count as one set."""
        name_row = self._name_row()
        names = self._names(name_row)
        titles = {
            str(text): column
            for (row, column), text in sorted(self.cells.items(), reverse=True)
            if row == DataLayout.GROUP_ROW
        }
        inputs = titles.get(INPUTS_TITLE)
        targets = titles.get(TARGETS_TITLE, titles.get(TARGET_TITLE))
        scaled = titles.get(SCALED_INPUTS_TITLE)
        coded, derived = titles.get(CODED_TITLE), titles.get(SCALED_TARGETS_TITLE)
        if inputs is None or targets is None or not inputs < targets:
            raise self._spoilt(f"row {DataLayout.GROUP_ROW} does not say where they begin")
        end = min((c for c in (scaled, coded, derived) if c), default=len(names) + 1)
        y = coded or derived
        statistics = self._statistics(name_row)
        split = names[1:2] == (SET_HEAD,)
        rows = max(last_row - name_row, 2)
        layout = DataLayout(
            rows=rows - 1 if split else rows,
            held_out=1 if split else 0,
            input_names=names[inputs - 1 : targets - 1],
            target_names=names[targets - 1 : end - 1],
            input_statistics=self._scaling(statistics, 0, inputs) if scaled else (),
            target_statistics=self._scaling(statistics, -1, targets) if derived else (),
            outputs=len(names) + 1 - y if y else end - targets,
            coded=coded is not None,
        )
        found = inputs, targets, end, scaled or inputs, y or targets, name_row
        wanted = (layout.raw_column, layout.target_column, layout.raw_end, layout.x_column)
        if found != (*wanted, layout.y_column, layout.name_row):
            raise self._spoilt("columns or rows above the data were added or deleted")
        return layout

    def _name_row(self) -> int:
        rows = [row for (row, c), text in self.cells.items() if c == 1 and text == ROW_HEAD]
        if not rows:
            raise self._spoilt(f"no row of column names begins with {ROW_HEAD!r}")
        return min(rows)

    def _names(self, name_row: int) -> tuple[str, ...]:
        """The column names from column A to the first gap."""
        names: list[str] = []
        while isinstance(name := self.cells.get((name_row, len(names) + 1)), str):
            names.append(name)
        return tuple(names)

    def _statistics(self, name_row: int) -> list[str]:
        """What the rows of statistics are called."""
        found = []
        for row in range(DataLayout.STATISTICS_ROW, name_row):
            text = self.cells.get((row, 1))
            if not isinstance(text, str) or text == ONE_MEANS:
                break
            found.append(text)
        return found

    def _scaling(self, labels: list[str], side: int, column: int) -> tuple[str, ...]:
        """The statistics of the scaling that a side had: 0 the inputs, -1 the targets."""
        own = [label.split(" / ")[side] for label in labels]
        for scaling in SCALINGS.values():
            names = tuple(s.name for s in scaling.statistics)
            if names and list(names) == own:
                return names
        at = where(DATA, DataLayout.STATISTICS_ROW, column)
        raise self._spoilt(f"what the numbers from {at} on are is not said in column A")

    def _spoilt(self, what: str) -> WorkbookError:
        return WorkbookError(
            f"{self.book}: the head of {DATA} is not as it was exported ({what}); rows may be "
            "added and deleted, columns may not: make a new spec for them (sheetnet new)"
        )


def scale_of(statistics: Sequence[str]) -> str:
    """The scaling with these statistics."""
    for name, scaling in SCALINGS.items():
        if tuple(s.name for s in scaling.statistics) == tuple(statistics):
            return name
    raise AssertionError(statistics)
