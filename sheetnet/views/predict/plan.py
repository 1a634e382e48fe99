"""Where everything stands on ``Predict``, and the columns of its tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sheetnet.layout import TRAIN_GROUP_ROW, TRAIN_NAME_ROW, Layout
from sheetnet.ledger import Ledger, LedgerBuilder, add_forward
from sheetnet.problem import Problem
from sheetnet.regions import PREDICT, Region
from sheetnet.views.predict.task import Task

AT_ROW, VISIT_ROW, EPOCH_ROW, BACK_ROW = 3, 4, 5, 6
HEAD_ROWS = TRAIN_NAME_ROW - TRAIN_GROUP_ROW + 1
"""Rows of the head above a table."""

FIRST_ROW = 7
"""Of the sections on the left and of the picture: a row of headings."""

NAME, FIRST, SECOND = 1, 2, 3
"""Columns of a section: what it is, and two numbers."""

MANY_INPUTS = 12
"""More inputs than these stand beside the other sections, not above them."""

GRID = 41
"""Cells of the map from side to side, and from top to bottom."""

TICKS = tuple(range(0, GRID, 10))
"""Which of them are labelled (from 0)."""

SWATCHES_AT, SWATCHES = 8, 9
"""Where the samples of the colours begin below the map, and how many they are."""

CURVE = 101
"""Points of a curve."""

MARGIN = 0.05
"""What axes show beyond the data, as a share of it."""

PICTURE_COLUMNS = 9
"""That charts stand on, where there is no map."""

CHART_ROWS = 24
MAX_CHARTS = 4
SHOWN_POINTS = 1000
"""Training rows that are drawn."""

MAP, CURVES, AGAINST = "map", "curves", "predictions against targets"


@dataclass(frozen=True)
class Plan:
    """Rows and columns, all counted from 1.

    On the left stands a panel of sections, right of it a picture (a map for two inputs,
    curves for one, else predictions against targets where these are numbers), right of
    that the tables, one below the other.
    """

    problem: Problem
    layout: Layout

    @cached_property
    def task(self) -> Task:
        """What the network is asked."""
        return Task(self.problem)

    @property
    def inputs(self) -> int:
        """How many."""
        return self.task.network.inputs

    @property
    def outputs(self) -> int:
        """How many."""
        return self.task.network.outputs

    @property
    def batches(self) -> int:
        """Updates in an epoch."""
        return -(-self.problem.rows // self.problem.spec.training.batch_size)

    @property
    def updates(self) -> int:
        """Updates in all."""
        return self.batches * self.layout.epochs

    # The panel.

    @property
    def inputs_row(self) -> int:
        """The head of the inputs."""
        return FIRST_ROW

    @property
    def beside(self) -> bool:
        """Whether the other sections stand beside the inputs."""
        return self.inputs > MANY_INPUTS

    @property
    def shift(self) -> int:
        """By how many columns the other sections stand further to the right."""
        return SECOND + 1 if self.beside else 0

    @property
    def outputs_row(self) -> int:
        """The head of the prediction."""
        return FIRST_ROW if self.beside else self.inputs_row + self.inputs + 2

    @property
    def told_row(self) -> int:
        """The class told; below the last output."""
        return self.outputs_row + max(self.outputs, self.task.classes) + 1

    @property
    def quality_row(self) -> int:
        """The head of what is said of all rows."""
        return self.told_row + (2 if self.task.classes else 1)

    @property
    def quality_rows(self) -> int:
        """Lines below it: loss, accuracy or RMSE, perhaps the RMSE of each target."""
        return 2 + (self.outputs if self.each_target else 0)

    @property
    def each_target(self) -> bool:
        """Whether each target has an RMSE of its own, in its units."""
        return self.task.numbers and (self.task.rescales or self.outputs > 1)

    @property
    def matrix_rows(self) -> tuple[int, ...]:
        """The head of the matrix of training rows, and of those held out."""
        if not self.task.has_matrix:
            return ()
        first = self.quality_row + self.quality_rows + 2
        sets = 2 if self.problem.held_out else 1
        return tuple(first + n * (self.task.classes + 3) for n in range(sets))

    @property
    def axes_row(self) -> int:
        """The head of the axes' numbers, the last section."""
        if self.matrix_rows:
            return self.matrix_rows[-1] + self.task.classes + 3
        return self.quality_row + self.quality_rows + 2 + (1 if self.task.knows_right else 0)

    @property
    def panel_end(self) -> int:
        """The panel's last column."""
        return self.shift + max(SECOND, NAME + (self.task.classes if self.matrix_rows else 0))

    # The picture.

    @property
    def picture(self) -> str | None:
        """What is drawn."""
        if self.inputs <= 2:
            return MAP if self.inputs == 2 else CURVES
        return AGAINST if self.task.numbers else None

    @property
    def picture_column(self) -> int:
        """Its first column: of a map that of the axis' name."""
        return self.panel_end + 2

    @property
    def map(self) -> Region:
        """The cells of the map; left of them a row's number and its label."""
        return Region(PREDICT, FIRST_ROW + 1, self.picture_column + 3, GRID, GRID)

    def on_map(self, row: int, column: int) -> bool:
        """Whether a cell belongs to the map."""
        return self.picture == MAP and self.map.overlaps(Region(PREDICT, row, column, 1, 1))

    @property
    def legend_row(self) -> int:
        """Of the map: below its labels and the name of the axis."""
        return self.map.last_row + 5

    @property
    def colours(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The cells that tell the ends of its colours."""
        first = self.map.column
        return (self.legend_row, first), (self.legend_row, first + SWATCHES_AT + SWATCHES)

    @property
    def picture_end(self) -> int:
        """Its last column."""
        if self.picture == MAP:
            return self.map.last_column
        return self.picture_column + PICTURE_COLUMNS - 1 if self.picture else self.panel_end

    @property
    def picture_last_row(self) -> int:
        """Its last row, labels and legend of a map included."""
        if self.picture == MAP:
            return self.legend_row + 4
        return FIRST_ROW + self.charts * CHART_ROWS

    @property
    def charts(self) -> int:
        """How many charts are drawn."""
        if self.picture == AGAINST:
            return min(self.outputs, MAX_CHARTS)
        return 1 if self.picture == CURVES else 0

    # The tables.

    @property
    def tables_column(self) -> int:
        """Their first column; left of it stands what they are."""
        return self.picture_end + 3

    @cached_property
    def typed(self) -> Ledger:
        """One row: what is typed, through the network, with the weights of the update."""
        build = LedgerBuilder()
        build.add("x", "input", (self.inputs,))
        for layer in self.task.network.layers:
            build.add("W", "weight", (layer.units, layer.inputs), layer.index)
            build.add("b", "bias", (layer.units,), layer.index)
            add_forward(build, layer)
        self._add_told(build)
        return build.ledger

    @cached_property
    def rows(self) -> Ledger:
        """A row for each row of ``Data``."""
        build = LedgerBuilder()
        build.add("sample", "place")
        build.add("x", "input", (self.inputs,))
        build.add("y", "target", (self.outputs,))
        self._add_layers(build)
        build.add("loss", "loss")
        self._add_told(build)
        if self.task.knows_right:
            build.add("right", "told")
        if self.task.classes:
            build.add("hit", "predicted")
        if self.task.numbers:
            build.add("pred", "predicted", (self.outputs,))
            build.add("goal", "predicted", (self.outputs,))
        if self.picture == MAP:
            build.add("cell", "told")
        return build.ledger

    @cached_property
    def points(self) -> Ledger | None:
        """A row for each cell of the map, or for each point of the curves."""
        if self.picture not in (MAP, CURVES):
            return None
        build = LedgerBuilder()
        for name in ("cell", "column", "row") if self.picture == MAP else ("point",):
            build.add(name, "place")
        if self.picture == CURVES:
            build.add("raw", "predicted", (1,))
        build.add("x", "input", (self.inputs,))
        self._add_layers(build)
        if self.picture == MAP:
            self._add_told(build)
        build.add("value", "predicted", (1 if self.picture == MAP else self.outputs,))
        if self.picture == MAP:
            build.add("here", "told")
        return build.ledger

    def _add_layers(self, build: LedgerBuilder) -> None:
        for layer in self.task.network.layers:
            add_forward(build, layer)

    def _add_told(self, build: LedgerBuilder) -> None:
        if self.task.classes:
            build.add("told", "told", (self.outputs,))

    @property
    def typed_region(self) -> Region:
        """Its row."""
        return Region(PREDICT, HEAD_ROWS + 1, self.tables_column, 1, self.typed.width)

    @property
    def rows_region(self) -> Region:
        """Below it, the training rows first; its tall row of words is that of the headings."""
        rows = self.problem.rows + self.problem.held_out
        first = FIRST_ROW - 1 + HEAD_ROWS
        return Region(PREDICT, first, self.tables_column, rows, self.rows.width)

    @property
    def points_region(self) -> Region | None:
        """Below that, and below the map with its labels."""
        if self.points is None:
            return None
        rows = GRID * GRID if self.picture == MAP else CURVE
        head = max(self.rows_region.last_row, self.picture_last_row) + 2
        return Region(PREDICT, head + HEAD_ROWS, self.tables_column, rows, self.points.width)

    @property
    def drawn(self) -> int:
        """How many training rows are drawn."""
        return min(self.problem.rows, SHOWN_POINTS)
