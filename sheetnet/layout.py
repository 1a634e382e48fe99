"""Where everything stands in the workbook: sheets, rows and columns of each region.

Exporter, formulas and reader all take addresses from here. Rows and columns count
from 1, as spreadsheets do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sheetnet.ledger import Ledger
from sheetnet.network import Layer, Network
from sheetnet.problem import Problem

CONFIG, DATA, INIT, TRAIN = "Config", "Data", "Init", "Train"

TRAIN_GROUP_ROW, TRAIN_WORDS_ROW, TRAIN_SYMBOL_ROW, TRAIN_NAME_ROW = 1, 2, 3, 4
TRAIN_FIRST_ROW = TRAIN_NAME_ROW + 1

CONFIG_FIRST_ROW = 5
"""Above it stand titles, which are no keys whatever the spec is called."""

CONFIG_KEY, CONFIG_VALUE, CONFIG_NOTE = 1, 2, 3
"""Columns of ``Config``: the spec's key, its value, what it means."""

LAYERS_HEADER = ("layer", "units", "activation", "inputs", "train_bias", "parameters")


def letter(column: int) -> str:
    """The letters of a column: 1 -> A, 27 -> AA."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def address(row: int, column: int) -> str:
    """``C5`` for row 5, column 3."""
    return f"{letter(column)}{row}"


@dataclass(frozen=True)
class Region:
    """A rectangle of cells on one sheet."""

    sheet: str
    row: int
    column: int
    rows: int
    columns: int

    @property
    def last_row(self) -> int:
        """The bottom row."""
        return self.row + self.rows - 1

    @property
    def last_column(self) -> int:
        """The rightmost column."""
        return self.column + self.columns - 1

    def overlaps(self, other: Region) -> bool:
        """Whether both share a cell."""
        return (
            self.sheet == other.sheet
            and self.row <= other.last_row
            and other.row <= self.last_row
            and self.column <= other.last_column
            and other.column <= self.last_column
        )


@dataclass(frozen=True)
class DataLayout:
    """``Data``: raw columns on the left, what the network sees on the right.

    A column that is neither scaled nor coded has no second column: the network sees
    the raw one. Above the rows stand the statistics of the scaling and the coding.
    """

    rows: int
    input_names: tuple[str, ...]
    target_names: tuple[str, ...]
    input_statistics: tuple[str, ...]
    target_statistics: tuple[str, ...]
    outputs: int
    coded: bool
    classes: int

    GROUP_ROW = 4
    STATISTICS_ROW = 5
    RAW_COLUMN = 2

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
    def last_row(self) -> int:
        """The last data row."""
        return self.first_row + self.rows - 1

    @property
    def target_column(self) -> int:
        """The first raw target."""
        return self.RAW_COLUMN + len(self.input_names)

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
        return self.raw_end if self.scales_inputs else self.RAW_COLUMN

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
        return Region(DATA, self.first_row, column, self.rows, columns)

    @property
    def regions(self) -> dict[str, Region]:
        """All regions by name; none overlaps another."""
        inputs, targets = len(self.input_names), len(self.target_names)
        found = {
            "index": self.body(1, 1),
            "raw inputs": self.body(self.RAW_COLUMN, inputs),
            "raw targets": self.body(self.target_column, targets),
        }
        if self.scales_inputs:
            found["x"] = self.body(self.x_column, inputs)
            found["input statistics"] = Region(
                DATA, self.STATISTICS_ROW, self.RAW_COLUMN, len(self.input_statistics), inputs
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


@dataclass(frozen=True)
class InitLayout:
    """``Init``: a block per layer: a title, a header, a row per unit; biases on the right."""

    layers: tuple[Layer, ...]

    FIRST_BLOCK_ROW = 4
    WEIGHT_COLUMN = 2

    @cached_property
    def title_rows(self) -> tuple[int, ...]:
        """The title row of each layer's block."""
        rows, row = [], self.FIRST_BLOCK_ROW
        for layer in self.layers:
            rows.append(row)
            row += layer.units + 3
        return tuple(rows)

    def weights(self, layer: Layer) -> Region:
        """The matrix of a layer: a row per unit, a column per input."""
        row = self.title_rows[layer.index - 1] + 2
        return Region(INIT, row, self.WEIGHT_COLUMN, layer.units, layer.inputs)

    def bias(self, layer: Layer) -> Region:
        """The column of biases, right of the weights."""
        row = self.title_rows[layer.index - 1] + 2
        return Region(INIT, row, self.WEIGHT_COLUMN + layer.inputs, layer.units, 1)

    @property
    def regions(self) -> dict[str, Region]:
        """All regions by name; none overlaps another."""
        found = {}
        for layer in self.layers:
            found[f"W{layer.index}"] = self.weights(layer)
            found[f"b{layer.index}"] = self.bias(layer)
        return found


@dataclass(frozen=True)
class Layout:
    """The whole workbook: the ledger's columns and where each sheet's regions stand."""

    network: Network
    ledger: Ledger
    data: DataLayout
    init: InitLayout
    visits: int

    @property
    def train(self) -> Region:
        """The ledger's cells."""
        return Region(TRAIN, TRAIN_FIRST_ROW, 1, self.visits, self.ledger.width)

    @property
    def regions(self) -> dict[str, Region]:
        """All regions of all sheets."""
        return {**self.data.regions, **self.init.regions, "train": self.train}


def layout_of(problem: Problem, ledger: Ledger) -> Layout:
    """The layout that a problem's workbook has."""
    coded = problem.classes is not None
    data = DataLayout(
        rows=problem.rows,
        input_names=problem.table.input_names,
        target_names=problem.table.target_names,
        input_statistics=tuple(s.name for s in problem.inputs.scaling.statistics),
        target_statistics=tuple(s.name for s in problem.targets.scaling.statistics),
        outputs=problem.network.outputs,
        coded=coded,
        classes=len(problem.classes or ()),
    )
    init = InitLayout(problem.network.layers)
    return Layout(problem.network, ledger, data, init, problem.visits)
