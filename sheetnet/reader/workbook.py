"""From a workbook back to its problem, as its cells stand now.

Whatever has been typed over on ``Config``, ``Data`` or ``Init`` counts: constants are
read from the file with all their digits, formulas typed into input cells through the
values of a recalculation.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial

from sheetnet.concepts.activations import ACTIVATIONS
from sheetnet.concepts.scaling import SCALINGS
from sheetnet.data import Label, Table
from sheetnet.data_layout import DataLayout
from sheetnet.errors import DataError, EngineError, SheetnetError, SpecError, WorkbookError
from sheetnet.layout import (
    BUGS_KEY,
    CONFIG_VALUE,
    LAYERS_HEADER,
    SHEETS_KEY,
    InitLayout,
    Layout,
    layout_of,
)
from sheetnet.limits import MAX_COLUMNS, MAX_ROWS
from sheetnet.network import Layer
from sheetnet.problem import Problem, assemble
from sheetnet.reader.cells import BLANK, Grid, where
from sheetnet.reader.choices import chosen_in
from sheetnet.reader.config import config_keys, config_spec, row_of
from sheetnet.reader.grid import read_grid
from sheetnet.reader.inputs import InputSheet, Recalculate
from sheetnet.reader.package import Package
from sheetnet.reader.window import with_columns, with_window
from sheetnet.regions import CONFIG, DATA, GUIDE, INIT, Region
from sheetnet.sheets import ALWAYS
from sheetnet.spec import LayerSpec, Spec
from sheetnet.train_sheets import MAX_SHEETS
from sheetnet.views.make import views_of
from sheetnet.views.view import View

CODINGS = ("none", "0/1", "one-hot")
"""``coding`` on Config: targets are numbers, two classes on one output, or one-hot."""

CONFIG_ROWS, CONFIG_COLUMNS = 4_000, len(LAYERS_HEADER)
"""Cells of ``Config`` that are read."""


@dataclass(frozen=True)
class Book:
    """A workbook understood: its problem, its layout, its input cells by name.

    ``names`` maps each defined name to the sheet, row and column of its cell; ``chosen``
    has for each of ``views`` what stands in its choices, ``grids`` all that it holds;
    ``config`` and ``data`` hold ``Config`` and ``Data``.
    """

    problem: Problem
    layout: Layout
    names: dict[str, tuple[str, int, int]]
    config: Grid
    data: Grid
    views: tuple[View, ...]
    chosen: tuple[dict[str, float], ...]
    grids: tuple[Grid, ...]


def read_book(package: Package, recalculate: Recalculate) -> Book:
    """Read the problem of a workbook; raises :class:`WorkbookError` that names the cell."""
    for title in ALWAYS:
        _must_have(package, title)

    def sheet(title: str, rows: int, columns: int) -> InputSheet:
        return InputSheet(package, read_grid(package, title, rows, columns), recalculate)

    config = sheet(CONFIG, CONFIG_ROWS, CONFIG_COLUMNS)
    keys = config_keys(config.grid)
    try:
        spec = config_spec(config, keys)
        found = _data_layout(config, keys, spec)
        data = sheet(DATA, min(found.last_row + 1, MAX_ROWS), found.last_column)
        _nothing_below(data, found)
        table, classes, found = _table(data, found)
        layers = _layers(spec, table)
        init_layout = InitLayout(layers)
        init = sheet(INIT, *init_layout.extent)
        spec = dataclasses.replace(spec, layers=_with_weights(spec, init, init_layout))
        problem = assemble(spec, table, classes)
        problem = with_columns(problem, config, keys)
        problem = with_window(problem, config, keys, partial(sheet, INIT))
        titles = config.text(row_of(config, keys, SHEETS_KEY), CONFIG_VALUE, SHEETS_KEY)
        bugs = 1 if BUGS_KEY in keys else 0
        layout = layout_of(problem, titles.split(","), bugs)
    except (WorkbookError, EngineError):
        raise
    except SheetnetError as error:
        raise WorkbookError(f"{package.path.name}: {error}") from None
    most = max(region.rows for region, _ in layout.ledger_sheets)
    if len(layout.on_sheets.sheets) > MAX_SHEETS or most > MAX_ROWS:
        raise WorkbookError(f"{package.path.name}: {CONFIG} describes a run too large for a sheet")
    for title in layout.sheets:
        if title != GUIDE:
            _must_have(package, title)
    for own in layout.on_sheets.sheets:
        _must_have(package, own.title)
    names = {name: (CONFIG, keys[name], CONFIG_VALUE) for name in problem.hyperparameters}
    views, chosen, grids = views_of(problem, layout), [], []
    for view in views:
        inputs = sheet(view.title, *view.extent)
        grids.append(inputs.grid)
        chosen.append(chosen_in(inputs, view))
        defined = (choice for choice in view.choices if choice.defined)
        names |= {c.name: (view.title, c.row, c.column) for c in defined}
    return Book(problem, layout, names, config.grid, data.grid, views, tuple(chosen), tuple(grids))


def _must_have(package: Package, title: str) -> None:
    if title not in package.sheets:
        raise WorkbookError(
            f"{package.path.name} was not written by sheetnet: it has no sheet {title!r}"
        )


def _data_layout(config: InputSheet, keys: dict[str, int], spec: Spec) -> DataLayout:
    """The layout of ``Data`` as Config describes it, its column names still empty."""

    def count(key: str, low: int = 1) -> int:
        number = config.number(row_of(config, keys, key), CONFIG_VALUE, key)
        if not number.is_integer() or not low <= number <= MAX_ROWS:
            raise SpecError(f"{CONFIG} {key} is {number:g}: a whole number from {low} is needed")
        return int(number)

    coding = config.text(row_of(config, keys, "coding"), CONFIG_VALUE, "coding")
    if coding not in CODINGS:
        raise SpecError(f"{CONFIG} coding is {coding!r}; allowed: {', '.join(CODINGS)}")
    inputs, targets, rows = count("inputs"), count("targets"), count("rows")
    held_out = count("held_out", 1 if spec.data.validation else 0)
    if held_out and not spec.data.validation:
        raise SpecError(f"{CONFIG} held_out is {held_out}, but validation is 0")
    if 2 * (inputs + targets) > MAX_COLUMNS:
        raise SpecError(
            f"{CONFIG} names {inputs} inputs and {targets} targets, too many for a sheet"
        )
    outputs = spec.layers[-1].units or targets
    return DataLayout(
        rows=rows,
        held_out=held_out,
        input_names=("",) * inputs,
        target_names=("",) * targets,
        input_statistics=tuple(s.name for s in SCALINGS[spec.data.scale].statistics),
        target_statistics=tuple(s.name for s in SCALINGS[spec.data.target_scale].statistics),
        outputs=outputs,
        coded=coding != "none",
    )


def _nothing_below(data: InputSheet, layout: DataLayout) -> None:
    """Raise :class:`WorkbookError` for another row of data, which the training does not see."""
    row = layout.last_row + 1
    columns = range(layout.raw_column, layout.raw_end)
    if row > MAX_ROWS or any(
        data.grid.at(row, c) == BLANK and data.grid.formula(row, c) is None for c in columns
    ):
        return
    raise WorkbookError(
        f"{data.package.path.name}: {where(DATA, row, layout.raw_column)} begins a row below the "
        f"last of the {layout.rows + layout.held_out} that this workbook trains on: sheetnet "
        f"export {data.package.path.name} makes a new one that has it"
    )


def _table(
    data: InputSheet, layout: DataLayout
) -> tuple[Table, tuple[Label, ...] | None, DataLayout]:
    regions = layout.regions

    def head(region: Region) -> tuple[str, ...]:
        columns = range(region.column, region.last_column + 1)
        return tuple(data.text(layout.name_row, c, "column name") for c in columns)

    inputs, targets = head(regions["raw inputs"]), head(regions["raw targets"])
    layout = dataclasses.replace(layout, input_names=inputs, target_names=targets)
    values = data.matrix(regions["raw inputs"], lambda r, c: inputs[c])
    held_out = layout.held_out
    if not layout.coded:
        goal = data.matrix(regions["raw targets"], lambda r, c: targets[c])
        return Table(inputs, values, targets, targets=goal, held_out=held_out), None, layout
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
    return Table(inputs, values, targets, labels=labels, held_out=held_out), classes, layout


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


def _with_weights(spec: Spec, init: InputSheet, layout: InitLayout) -> tuple[LayerSpec, ...]:
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
