"""Where everything stands on ``Data``."""

from __future__ import annotations

from dataclasses import dataclass

from sheetnet.problem import Problem
from sheetnet.regions import DATA, Region

TRAINING_SET, VALIDATION_SET = "training", "validation"
"""What a row is used for, where some are held out."""

ROW_HEAD, SET_HEAD = "row", "used for"
"""Heads of the columns before the data."""

INPUTS_TITLE, TARGET_TITLE, TARGETS_TITLE = "inputs", "target", "targets"
SCALED_INPUTS_TITLE, SCALED_TARGETS_TITLE, CODED_TITLE = "x: scaled", "y: scaled", "y: coded"
"""What stands above the first column of each group."""

ONE_MEANS, ZERO_MEANS = "1 stands for", "0 stands for"


@dataclass(frozen=True)
class DataLayout:
    """``Data``: raw columns on the left, what the network sees on the right.

    Training rows stand first, ``held_out`` rows for validation below them; where there
    are any, a column says which are which. A column that is neither scaled nor coded
    has no second column: the network sees the raw one. Above the rows stand the
    statistics of the scaling and the coding.
    """

    rows: int
    held_out: int
    input_names: tuple[str, ...]
    target_names: tuple[str, ...]
    input_statistics: tuple[str, ...]
    target_statistics: tuple[str, ...]
    outputs: int
    coded: bool

    GROUP_ROW = 4
    STATISTICS_ROW = 5
    SET_COLUMN = 2

    @property
    def raw_column(self) -> int:
        """The first raw input."""
        return self.SET_COLUMN + (1 if self.held_out else 0)

    @property
    def statistics(self) -> int:
        """Rows used by statistics of either side."""
        return max(len(self.input_statistics), len(self.target_statistics))

    @property
    def coding_rows(self) -> int:
        """Rows that say what a coded 1 (and, with one output, 0) stands for."""
        if not self.coded:
            return 0
        return 2 if self.outputs == 1 else 1

    @property
    def coding_row(self) -> int:
        """The row naming the class that 1 stands for; the one for 0 follows."""
        return self.STATISTICS_ROW + self.statistics

    @property
    def name_row(self) -> int:
        """The row of column names, right above the first data row."""
        return self.coding_row + self.coding_rows

    @property
    def first_row(self) -> int:
        """The first data row."""
        return self.name_row + 1

    @property
    def last_training_row(self) -> int:
        """The last row that the network is trained on."""
        return self.first_row + self.rows - 1

    @property
    def last_row(self) -> int:
        """The last data row, held out or not."""
        return self.last_training_row + self.held_out

    @property
    def target_column(self) -> int:
        """The first raw target."""
        return self.raw_column + len(self.input_names)

    @property
    def raw_end(self) -> int:
        """The column after the last raw one."""
        return self.target_column + len(self.target_names)

    @property
    def scales_inputs(self) -> bool:
        """Whether inputs have scaled columns."""
        return bool(self.input_statistics)

    @property
    def derives_targets(self) -> bool:
        """Whether targets have scaled or coded columns."""
        return self.coded or bool(self.target_statistics)

    @property
    def x_column(self) -> int:
        """The first column of inputs as the network sees them."""
        return self.raw_end if self.scales_inputs else self.raw_column

    @property
    def y_column(self) -> int:
        """The first column of targets as the network sees them."""
        if not self.derives_targets:
            return self.target_column
        return self.raw_end + (len(self.input_names) if self.scales_inputs else 0)

    @property
    def last_column(self) -> int:
        """The rightmost column in use."""
        if self.derives_targets:
            return self.y_column + self.outputs - 1
        return self.raw_end - 1 + (len(self.input_names) if self.scales_inputs else 0)

    def body(self, column: int, columns: int) -> Region:
        """Data rows of neighbouring columns."""
        return Region(DATA, self.first_row, column, self.rows + self.held_out, columns)

    @property
    def regions(self) -> dict[str, Region]:
        """All regions by name; none overlaps another."""
        inputs, targets = len(self.input_names), len(self.target_names)
        found = {
            "index": self.body(1, 1),
            "raw inputs": self.body(self.raw_column, inputs),
            "raw targets": self.body(self.target_column, targets),
        }
        if self.held_out:
            found["set"] = self.body(self.SET_COLUMN, 1)
        if self.scales_inputs:
            found["x"] = self.body(self.x_column, inputs)
            found["input statistics"] = Region(
                DATA, self.STATISTICS_ROW, self.raw_column, len(self.input_statistics), inputs
            )
        if self.derives_targets:
            found["y"] = self.body(self.y_column, self.outputs)
        if self.target_statistics:
            found["target statistics"] = Region(
                DATA, self.STATISTICS_ROW, self.target_column, len(self.target_statistics), targets
            )
        if self.coded:
            found["coding"] = Region(
                DATA, self.coding_row, self.y_column, self.coding_rows, self.outputs
            )
        return found


def statistic_label(first: str | None, second: str) -> str:
    """What names a row of statistics that both sides share: ``mean / minimum``."""
    return second if first in (None, second) else f"{first} / {second}"


def coding_of(problem: Problem) -> str:
    """How the targets are coded: ``none``, ``0/1`` or ``one-hot``."""
    if problem.classes is None:
        return "none"
    return "0/1" if problem.network.outputs == 1 else "one-hot"


def data_layout_of(problem: Problem) -> DataLayout:
    """The layout of a problem's data."""
    return DataLayout(
        rows=problem.rows,
        held_out=problem.held_out,
        input_names=problem.table.input_names,
        target_names=problem.table.target_names,
        input_statistics=tuple(s.name for s in problem.inputs.scaling.statistics),
        target_statistics=tuple(s.name for s in problem.targets.scaling.statistics),
        outputs=problem.network.outputs,
        coded=problem.classes is not None,
    )
