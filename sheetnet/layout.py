"""Where everything stands in the workbook: sheets, rows and columns of each region.

Exporter, formulas and reader all take addresses from here. Rows and columns count
from 1, as spreadsheets do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from sheetnet.data_layout import DataLayout, data_layout_of
from sheetnet.epoch_ledgers import Ledgers, ledgers_of
from sheetnet.ledger import Block, Ledger
from sheetnet.limits import MAX_COLUMNS
from sheetnet.network import Layer, Network
from sheetnet.pipeline import all_parameters, folded_of, stages_of
from sheetnet.problem import Problem
from sheetnet.regions import EPOCHS, INIT, VALIDATION, Region, letter
from sheetnet.sheets import sheets_of
from sheetnet.train_sheets import TrainSheet, TrainSheets, train_sheets

TRAIN_GROUP_ROW, TRAIN_WORDS_ROW, TRAIN_SYMBOL_ROW, TRAIN_NAME_ROW = 1, 2, 3, 4
TRAIN_FIRST_ROW = TRAIN_NAME_ROW + 1

VALIDATION_FIRST_ROW = TRAIN_FIRST_ROW
"""Its head is like that of ``Train``."""

EPOCHS_CHART_ROW, EPOCHS_CHART_ROWS = 4, 16
"""Where the charts begin, and how many rows each of their two rows takes."""
EPOCHS_BEST_ROW = EPOCHS_CHART_ROW + 2 * EPOCHS_CHART_ROWS + 1
"""The values of the best epoch, above the head of their columns."""
EPOCHS_HEAD_ROW = EPOCHS_BEST_ROW + 1
EPOCHS_NAME_ROW = EPOCHS_HEAD_ROW + TRAIN_NAME_ROW - TRAIN_GROUP_ROW
EPOCHS_FIRST_ROW = EPOCHS_NAME_ROW + 1

CONFIG_FIRST_ROW = 5
"""Above it stand titles, which are no keys whatever the spec is called."""

CONFIG_NETWORK = 3, 2
NETWORK = "Network "
"""Where the title says what the network is, and how it begins."""

CONFIG_INPUT_ROW = CONFIG_FIRST_ROW + 1
"""The first of the numbers that may be changed."""

CONFIG_KEY, CONFIG_VALUE, CONFIG_NOTE = 1, 2, 3
"""Columns of ``Config``: the spec's key, its value, what it means."""

SHEETS_KEY = "sheets"
"""The row of ``Config`` that lists the workbook's sheets."""

BUGS_KEY = "bugs"
"""The row of ``Config`` that tells how many faults a bug hunt has; others have none."""

LAYERS_HEADER = ("layer", "units", "activation", "inputs", "train_bias", "parameters")


def weights_corner(layer: int) -> str:
    """What stands left of the heads of a layer's weights on ``Init``."""
    return f"W{layer} (unit ↓, input →)"


def bias_head(layer: int) -> str:
    """The head of the column of biases, right of those of the weights."""
    return f"b{layer} (bias)"


@dataclass(frozen=True)
class InitLayout:
    """``Init``: a block per layer: a title, a header, a row per unit; biases on the right.

    ``carried`` are the blocks of ``Train`` that a window starts from, too: below the
    weights they stand like these, a quantity of both next to each other.
    """

    layers: tuple[Layer, ...]
    carried: tuple[Block, ...] = ()

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

    @cached_property
    def state(self) -> dict[str, Region]:
        """Where each of ``carried`` stands: of a layer like its weights, a single one in a cell."""
        found: dict[str, Region] = {}
        row = self.weights(self.layers[-1]).last_row + 4
        region = self.weights(self.layers[0])
        for block in self.carried:
            if len(block.shape) == 1:  # of biases: they follow what belongs to the weights
                region = Region(INIT, region.row, region.last_column + 1, block.size, 1)
            else:
                rows, columns = block.shape or (1, 1)
                region = Region(INIT, row, self.WEIGHT_COLUMN, rows, columns)
                row += rows + 3
            found[block.name] = region
        return found

    def start(self, name: str, i: int) -> str:
        """What the first row finds of a column (from 0) of a carried quantity: a cell, or 0."""
        if name not in self.state:
            return "0"
        region = self.state[name]
        row, column = divmod(i, region.columns)
        return f"{INIT}!{letter(region.column + column)}{region.row + row}"

    @property
    def extent(self) -> tuple[int, int]:
        """The last row and the last column with numbers."""
        regions = self.regions.values()
        return max(r.last_row for r in regions), max(r.last_column for r in regions)

    @property
    def regions(self) -> dict[str, Region]:
        """All regions by name; none overlaps another."""
        found = {}
        for layer in self.layers:
            found[f"W{layer.index}"] = self.weights(layer)
            found[f"b{layer.index}"] = self.bias(layer)
        return {**found, **self.state}


@dataclass(frozen=True)
class Layout:
    """The whole workbook: its sheets, the columns of the ledgers, where each region stands.

    ``bugs`` faults are to be found in it (0: it is no bug hunt): what would point at them is
    left out.
    """

    network: Network
    ledgers: Ledgers
    data: DataLayout
    init: InitLayout
    epochs: int
    sheets: tuple[str, ...]
    visits: int
    first_visit: int = 1
    bugs: int = 0

    @property
    def ledger(self) -> Ledger:
        """The columns of ``Train``."""
        return self.ledgers.train

    @cached_property
    def on_sheets(self) -> TrainSheets:
        """Where the columns of ``Train`` stand, on one sheet or on several."""
        return train_sheets(self.ledger, MAX_COLUMNS, folded_of(self.network))

    def region_of(self, sheet: TrainSheet) -> Region:
        """The rows of one of its sheets."""
        return Region(sheet.title, TRAIN_FIRST_ROW, 1, self.visits, sheet.ledger.width)

    @property
    def train(self) -> Region:
        """The rows of ``Train`` itself."""
        return self.region_of(self.on_sheets.sheets[0])

    @property
    def epoch_rows(self) -> Region:
        """The cells of ``Epochs``."""
        return Region(EPOCHS, EPOCHS_FIRST_ROW, 1, self.epochs, self.ledgers.epochs.width)

    @property
    def best_row(self) -> Region | None:
        """The values of the best epoch, where there is validation."""
        if self.ledgers.validation is None:
            return None
        return Region(EPOCHS, EPOCHS_BEST_ROW, 1, 1, self.ledgers.epochs.width)

    @property
    def validation(self) -> Region | None:
        """The forward passes of the held-out rows."""
        if self.ledgers.validation is None:
            return None
        rows, width = self.epochs * self.data.held_out, self.ledgers.validation.width
        return Region(VALIDATION, VALIDATION_FIRST_ROW, 1, rows, width)

    @property
    def ledger_sheets(self) -> tuple[tuple[Region, Ledger], ...]:
        """The sheets that hold a ledger and are there: its rows, its columns."""
        found = [(self.region_of(sheet), sheet.ledger) for sheet in self.on_sheets.sheets]
        if VALIDATION in self.sheets and self.validation and self.ledgers.validation:
            found.append((self.validation, self.ledgers.validation))
        if EPOCHS in self.sheets:
            found.append((self.epoch_rows, self.ledgers.epochs))
        return tuple(found)

    @property
    def regions(self) -> dict[str, Region]:
        """All regions of all sheets."""
        found = {**self.data.regions, **self.init.regions, "train": self.train}
        found["epochs"] = self.epoch_rows
        for name, region in (("best", self.best_row), ("validation", self.validation)):
            if region is not None:
                found[name] = region
        return found


def layout_of(problem: Problem, sheets: Iterable[str] | None = None, bugs: int = 0) -> Layout:
    """The layout that a problem's workbook has; ``sheets`` None: all that apply."""
    ledgers = ledgers_of(problem.network)
    windowed = problem.window is not None
    carried = carried_blocks(problem.network, ledgers.train) if windowed else ()
    return Layout(
        network=problem.network,
        ledgers=ledgers,
        data=data_layout_of(problem),
        init=InitLayout(problem.network.layers, carried),
        epochs=problem.spec.training.epochs,
        sheets=sheets_of(problem.network, sheets, windowed=windowed),
        visits=problem.visits,
        first_visit=problem.first_visit,
        bugs=bugs,
    )


def carried_blocks(network: Network, ledger: Ledger) -> tuple[Block, ...]:
    """What a row of ``Train`` finds in the row before, beside weights and biases."""
    bases = [stage.slot.name for stage in stages_of(network) if stage.slot.carried]
    names = [
        name
        for base in bases
        for name in (base, *(f"{base}{parameter}" for parameter in all_parameters(network)))
    ]
    return tuple(ledger[name] for name in names if name in ledger)
