"""From a workbook back to its problem, as its cells stand now.

Whatever has been typed over on ``Config``, ``Data`` or ``Init`` counts: constants are
read from the file with all their digits, formulas typed into input cells through the
values of a recalculation.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from sheetnet.concepts.activations import ACTIVATIONS
from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.concepts.scaling import SCALINGS
from sheetnet.data import Label, Table
from sheetnet.errors import DataError, SheetnetError, SpecError, WorkbookError
from sheetnet.layout import (
    CONFIG,
    CONFIG_FIRST_ROW,
    CONFIG_KEY,
    CONFIG_VALUE,
    DATA,
    INIT,
    LAYERS_HEADER,
    MAX_COLUMNS,
    MAX_ROWS,
    TRAIN,
    DataLayout,
    InitLayout,
    Layout,
    Region,
    layout_of,
)
from sheetnet.ledger import ledger_of
from sheetnet.problem import Layer, Problem, assemble
from sheetnet.reader.cells import BLANK, Grid, Odd, Values, read_grid, where
from sheetnet.reader.package import Package
from sheetnet.spec import LayerSpec, Spec, parse_spec

Recalculate = Callable[[str, int, int], Values]
"""(sheet, rows, columns) -> the values that an engine has just calculated."""

CODINGS = ("none", "0/1", "one-hot")
"""``coding`` on Config: targets are numbers, two classes on one output, or one-hot."""

_CONFIG_ROWS, _CONFIG_COLUMNS = 2_000, len(LAYERS_HEADER)


@dataclass(frozen=True)
class Book:
    """A workbook understood: its problem, its layout, its input cells by name.

    ``names`` maps each hyperparameter to the row of its cell on ``Config``.
    """

    problem: Problem
    layout: Layout
    names: dict[str, int]
    data: Grid


@dataclass(frozen=True)
class _Sheet:
    """A sheet's cells as inputs: constants from the file, formulas from the engine."""

    package: Package
    grid: Grid
    recalculate: Recalculate

    def at(self, row: int, column: int) -> float | Odd:
        if self.grid.formula(row, column) is None:
            return self.grid.at(row, column)
        rows, columns = self.grid.numbers.shape
        return self.recalculate(self.grid.title, rows, columns).at(row, column)

    def number(self, row: int, column: int, what: str) -> float:
        value = self.at(row, column)
        if isinstance(value, Odd):
            raise WorkbookError(
                f"{self.package.path.name}: {where(self.grid.title, row, column)} ({what}) "
                f"{_holds(value)}: a number is needed"
            )
        return value

    def text(self, row: int, column: int, what: str) -> str:
        value = self.at(row, column)
        if isinstance(value, Odd) and value.kind == "text" and value.text:
            return value.text
        raise WorkbookError(
            f"{self.package.path.name}: {where(self.grid.title, row, column)} ({what}) "
            f"{_holds(value)}: a text is needed"
        )

    def label(self, row: int, column: int, what: str) -> Label:
        value = self.at(row, column)
        if isinstance(value, float):
            return value
        return self.text(row, column, what)

    def matrix(self, region: Region, what: Callable[[int, int], str]) -> Array:
        """All numbers of a region (rows, columns); an error names the first other cell."""
        numbers = self.grid.region(region).copy()
        formulas = self.grid.formulas[
            region.row - 1 : region.last_row, region.column - 1 : region.last_column
        ]
        for r, c in np.argwhere(np.isnan(numbers) | (formulas != None)):  # noqa: E711 - elementwise
            row, column = region.row + int(r), region.column + int(c)
            numbers[r, c] = self.number(row, column, what(int(r), int(c)))
        return numbers


def _holds(value: float | Odd) -> str:
    if value == BLANK:
        return "is empty"
    if isinstance(value, Odd) and value.kind == "text":
        return f"holds the text {value.text[:40]!r}"
    return f"holds {value}"


def read_book(package: Package, recalculate: Recalculate) -> Book:
    """Read the problem of a workbook; raises :class:`WorkbookError` that names the cell."""
    for title in (CONFIG, DATA, INIT, TRAIN):
        if title not in package.sheets:
            raise WorkbookError(
                f"{package.path.name} was not written by sheetnet: it has no sheet {title!r}"
            )

    def sheet(title: str, rows: int, columns: int) -> _Sheet:
        return _Sheet(package, read_grid(package, title, rows, columns), recalculate)

    config = sheet(CONFIG, _CONFIG_ROWS, _CONFIG_COLUMNS)
    keys = _keys(config)
    try:
        spec = _spec(config, keys)
        found = _data_layout(config, keys, spec)
        data = sheet(DATA, found.last_row, found.last_column)
        table, classes, found = _table(data, found)
        layers = _layers(spec, table)
        init_layout = InitLayout(layers)
        last = init_layout.bias(layers[-1]).last_row
        widest = max(layer.inputs for layer in layers) + 2
        init = sheet(INIT, last, widest)
        spec = dataclasses.replace(spec, layers=_with_weights(spec, init, init_layout))
        problem = assemble(spec, table, classes)
    except WorkbookError:
        raise
    except SheetnetError as error:
        raise WorkbookError(f"{package.path.name}: {error}") from None
    layout = layout_of(problem, ledger_of(problem.network))
    if layout.ledger.width > MAX_COLUMNS or layout.visits > MAX_ROWS:
        raise WorkbookError(f"{package.path.name}: {CONFIG} describes a run too large for a sheet")
    names = {name: keys[name] for name in problem.spec.training.hyperparameters}
    return Book(problem, layout, names, data.grid)


def _keys(config: _Sheet) -> dict[str, int]:
    """Key in column A -> its row; the first occurrence counts."""
    found: dict[str, int] = {}
    for row in range(CONFIG_FIRST_ROW, config.grid.numbers.shape[0] + 1):
        cell = config.grid.odd.get((row, CONFIG_KEY))
        if cell is not None and cell.kind == "text":
            found.setdefault(cell.text, row)
    return found


def _spec(config: _Sheet, keys: dict[str, int]) -> Spec:
    """The spec that ``Config`` shows, checked like any other."""

    def value(key: str) -> Any:
        if key not in keys:
            raise WorkbookError(
                f"{config.package.path.name} was not written by sheetnet: "
                f"{CONFIG} has no row {key!r}"
            )
        return _plain(config.at(keys[key], CONFIG_VALUE), config, keys[key], key)

    training = {
        key: value(key)
        for key in ("loss", "optimizer", "epochs", "batch_size", "shuffle", "seed", "initializer")
    }
    optimizer = OPTIMIZERS.get(str(training["optimizer"]))
    for parameter in optimizer.hyperparameters if optimizer else ():
        if parameter.name not in keys:
            value(parameter.name)
        training[parameter.name] = config.number(keys[parameter.name], CONFIG_VALUE, parameter.name)
    document = {
        "data": {key: value(key) for key in ("source", "scale", "target_scale")},
        "layers": _layer_tables(config, keys),
        "training": training,
    }
    return parse_spec(document, name=str(value("name")), folder=config.package.path.parent)


def _plain(value: float | Odd, config: _Sheet, row: int, key: str) -> Any:
    """A cell as TOML would give it: whole numbers as int."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if value.kind == "boolean":
        return value.text == "TRUE"
    if value.kind == "text":
        return value.text
    raise WorkbookError(
        f"{config.package.path.name}: {where(CONFIG, row, CONFIG_VALUE)} ({key}) {_holds(value)}"
    )


def _layer_tables(config: _Sheet, keys: dict[str, int]) -> list[dict[str, Any]]:
    if "layer" not in keys:
        raise WorkbookError(
            f"{config.package.path.name} was not written by sheetnet: "
            f"{CONFIG} has no table of layers"
        )
    tables: list[dict[str, Any]] = []
    row = keys["layer"] + 1
    while isinstance(config.at(row, 1), float):
        cells = {
            name: _plain(config.at(row, column), config, row, name)
            for column, name in enumerate(LAYERS_HEADER, 1)
        }
        tables.append({name: cells[name] for name in ("units", "activation", "train_bias")})
        row += 1
    return tables


def _data_layout(config: _Sheet, keys: dict[str, int], spec: Spec) -> DataLayout:
    """The layout of ``Data`` as Config describes it, its column names still empty."""

    def count(key: str) -> int:
        number = config.number(keys.get(key, 1), CONFIG_VALUE, key)
        if not number.is_integer() or not 1 <= number <= MAX_ROWS:
            raise SpecError(f"{CONFIG} {key} is {number:g}: a whole number from 1 is needed")
        return int(number)

    coding = config.text(keys.get("coding", 1), CONFIG_VALUE, "coding")
    if coding not in CODINGS:
        raise SpecError(f"{CONFIG} coding is {coding!r}; allowed: {', '.join(CODINGS)}")
    inputs, targets, rows = count("inputs"), count("targets"), count("rows")
    if 2 * (inputs + targets) > MAX_COLUMNS:
        raise SpecError(
            f"{CONFIG} names {inputs} inputs and {targets} targets, too many for a sheet"
        )
    outputs = spec.layers[-1].units or targets
    return DataLayout(
        rows=rows,
        input_names=("",) * inputs,
        target_names=("",) * targets,
        input_statistics=tuple(s.name for s in SCALINGS[spec.data.scale].statistics),
        target_statistics=tuple(s.name for s in SCALINGS[spec.data.target_scale].statistics),
        outputs=outputs,
        coded=coding != "none",
        classes=0,
    )


def _table(data: _Sheet, layout: DataLayout) -> tuple[Table, tuple[Label, ...] | None, DataLayout]:
    regions = layout.regions

    def head(region: Region) -> tuple[str, ...]:
        columns = range(region.column, region.last_column + 1)
        return tuple(data.text(layout.name_row, c, "column name") for c in columns)

    inputs, targets = head(regions["raw inputs"]), head(regions["raw targets"])
    layout = dataclasses.replace(layout, input_names=inputs, target_names=targets)
    values = data.matrix(regions["raw inputs"], lambda r, c: inputs[c])
    if not layout.coded:
        goal = data.matrix(regions["raw targets"], lambda r, c: targets[c])
        return Table(inputs, values, targets, targets=goal), None, layout
    column = layout.target_column
    labels = tuple(
        data.label(row, column, targets[0]) for row in range(layout.first_row, layout.last_row + 1)
    )
    columns = range(layout.y_column, layout.y_column + layout.outputs)
    classes = tuple(data.label(layout.coding_row, c, "class") for c in columns)
    if layout.outputs == 1:
        classes = (data.label(layout.coding_row + 1, layout.y_column, "class"), *classes)
    for row, label in enumerate(labels, layout.first_row):
        if label not in classes:
            raise DataError(
                f"{where(DATA, row, column)} holds {label!r}; "
                f"the classes are: {', '.join(map(str, classes))}"
            )
    return Table(inputs, values, targets, labels=labels), classes, layout


def _layers(spec: Spec, table: Table) -> tuple[Layer, ...]:
    """The layers' sizes alone, which say where their weights stand on ``Init``."""
    layers, inputs = [], len(table.input_names)
    for index, layer in enumerate(spec.layers, 1):
        units = layer.units or 1
        layers.append(Layer(index, units, inputs, ACTIVATIONS[layer.activation], layer.train_bias))
        inputs = units
        if (units + 1) * (layers[-1].inputs + 1) > MAX_ROWS * 16:
            raise SpecError(f"layers[{index}].units is {units}, too many for a sheet")
    return tuple(layers)


def _with_weights(spec: Spec, init: _Sheet, layout: InitLayout) -> tuple[LayerSpec, ...]:
    """The spec's layers with the weights and biases that stand on ``Init``."""
    filled = []
    for given, layer in zip(spec.layers, layout.layers, strict=True):
        weights = init.matrix(layout.weights(layer), partial(_weight_name, layer.index))
        bias = init.matrix(layout.bias(layer), partial(_bias_name, layer.index))[:, 0]
        filled.append(
            dataclasses.replace(
                given,
                weights=tuple(tuple(row) for row in weights.tolist()),
                bias=tuple(bias.tolist()),
            )
        )
    return tuple(filled)


def _weight_name(layer: int, j: int, i: int) -> str:
    return f"W{layer}[{j + 1},{i + 1}]"


def _bias_name(layer: int, j: int, _: int) -> str:
    return f"b{layer}[{j + 1}]"
