"""A workbook that somebody has edited, understood: its run, and what was changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sheetnet import values
from sheetnet.data import Table, rows_held_out, split_by_share
from sheetnet.differences import Inputs, listed
from sheetnet.editing.changes import Then, changes, order_of, row_notes
from sheetnet.editing.config import (
    check_counts,
    check_rest,
    check_starts,
    read_spec,
    share_held_out,
    share_of,
)
from sheetnet.editing.past import network_of, read_copies, read_trained
from sheetnet.editing.rows import read_rows
from sheetnet.editing.sheet import Source
from sheetnet.editing.start import Start, read_starts
from sheetnet.errors import DataError, EngineError, SheetnetError, SpecError, WorkbookError
from sheetnet.layout import CONFIG_VALUE, SHEETS_KEY
from sheetnet.output import finite
from sheetnet.problem import Problem, assemble
from sheetnet.reader.config import config_keys, row_of
from sheetnet.reader.inputs import Recalculate
from sheetnet.reader.package import Package, open_package
from sheetnet.reader.window import columns_told
from sheetnet.reader.workbook import CONFIG_COLUMNS, CONFIG_ROWS
from sheetnet.recalc import recalculate_if_asked
from sheetnet.regions import COMPARE, CONFIG, DATA, INIT, TRAIN, Region
from sheetnet.sheets import ALWAYS, sheets_of
from sheetnet.spec import LayerSpec, Spec
from sheetnet.window import FROM_VISIT

_SEED, _ROWS, _VALIDATION = "seed", "rows", "validation"


@dataclass(frozen=True)
class EditedBook:
    """A workbook as a spec that holds its rows.

    Attributes
    ----------
    problem: the run that ``Config``, ``Data`` and ``Init`` describe now.
    sheets: those that it has, for a new workbook; columns: which of the ledger's, likewise.
    changes: inputs that differ, ``a`` at export and ``b`` now.
    notes: what else was found, a line each.

    """

    path: Path
    problem: Problem
    sheets: tuple[str, ...]
    columns: str
    changes: Inputs
    notes: tuple[str, ...]

    def override(self, **others: Any) -> EditedBook:
        """Return the book with other values put in, as :meth:`Spec.override`.

        ``rows`` takes the first ones on ``Data``, of those held out their share. Weights
        stay as they are, whatever the seed.
        """
        given = {key: value for key, value in others.items() if value is not None}
        if not given:
            return self
        if _VALIDATION in given:
            raise SpecError(
                f"data.validation: which rows are held out stands on {DATA} of {self.path.name}"
            )
        problem, notes = self.problem, list(self.notes)
        table = problem.table
        if _ROWS in given:
            table = _first_rows(table, values.count("data.rows", given.pop(_ROWS)), problem.spec)
        spec = problem.spec.override(**given)
        if table.rows != problem.table.rows:
            share = share_of(table.rows, table.held_out, spec.data.validation)
            spec = replace(spec, data=replace(spec.data, validation=share))
        made = assemble(spec, table, problem.classes)
        if _SEED in given and not _draws(made):
            notes.append(
                f"the seed changes nothing: the weights stand on {INIT}, and nothing else is drawn"
            )
        return replace(self, problem=made, notes=tuple(notes))

    def to_text(self) -> str:
        """What differs from the export, kind by kind, and the notes."""
        lines = []
        for title, differences in self.changes.kinds:
            lines += [f"  {line}" for line in listed(title, differences, ", now ")]
        lines += [f"  {note}" for note in self.notes]
        if not self.changes.equal:
            return "\n".join([f"{self.path.name}, what differs from its export:", *lines])
        said = "read as it stands" if self.notes else "as it was exported"
        return "\n".join([f"{self.path.name}: {said}{':' if lines else ''}", *lines])

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        found = {
            "path": str(self.path),
            "changes": dataclasses.asdict(self.changes),
            "notes": list(self.notes),
        }
        plain: dict[str, Any] = finite(found)
        return plain


def load_book(path: str | Path, engine: str = "ironcalc") -> EditedBook:
    """Read a workbook as it stands now; ``engine`` calculates formulas in input cells.

    Raises :class:`WorkbookError` for one that sheetnet did not write, or that says what no
    run can be; :class:`EngineError` where a formula cannot be calculated.
    """
    package = open_package(path)
    with recalculate_if_asked(package, engine) as recalculate:
        return read_edited(package, recalculate)


def read_edited(package: Package, recalculate: Recalculate) -> EditedBook:
    """Read an open workbook; see :func:`load_book`."""
    for title in ALWAYS[:3]:
        if title not in package.sheets:
            raise WorkbookError(
                f"{package.path.name} is not a workbook of sheetnet: it has no sheet {title!r} "
                f"(for a table of data: sheetnet new SPEC.toml --data {package.path.name})"
            )
    try:
        return _read(package, Source.of(package, recalculate))
    except (WorkbookError, EngineError):
        raise
    except SheetnetError as error:
        raise WorkbookError(f"{package.path.name}: {error}") from None


def _read(package: Package, source: Source) -> EditedBook:
    sight = source.look(CONFIG, lambda row, column, content: None)
    config = source.sheet(CONFIG, CONFIG_ROWS, CONFIG_COLUMNS)
    keys = config_keys(config.grid)
    if FROM_VISIT in keys:
        raise WorkbookError(
            f"{package.path.name} holds a window of a training, from visit "
            f"{config.number(keys[FROM_VISIT], CONFIG_VALUE, FROM_VISIT):g} on: its spec, or a "
            "workbook of the whole training, is needed"
        )
    sight.refuse_dates(config, Region(CONFIG, 1, CONFIG_VALUE, CONFIG_ROWS, 1))
    titles = config.text(row_of(config, keys, SHEETS_KEY), CONFIG_VALUE, SHEETS_KEY).split(",")
    rows = read_rows(source)
    starts, notes = read_starts(source)
    then = Then(network_of(config.grid), read_trained(package), read_copies(package, rows.layout))
    check_counts(config, keys, rows, then.trained, then.total)
    share = share_held_out(config, keys, rows, then.sets)
    spec, said = read_spec(config, keys, share, package.path)
    table, drawn = rows.table, []
    if share and not rows.split:
        table = split_by_share(table, share, spec.training.seed)
        drawn.append(
            f"{table.held_out} of {table.rows} rows are held out, drawn from seed "
            f"{spec.training.seed}: Data does not say which"
        )
    check_starts(config, spec, table, starts, then.network)
    layers, others = _with_starts(spec, table, starts)
    problem = assemble(replace(spec, layers=layers), table, rows.classes)
    check_rest(config, keys, problem, rows, starts)
    found = changes(then, problem, rows, starts, keys)
    every = [*row_notes(then, rows), *drawn, *others, *said, *rows.notes, *notes]
    if then.copies is None:
        every.append(
            f"no sheet {COMPARE} keeps what was exported: which values of cells were changed "
            "cannot be told"
        )
    if then.trained.rows is None:
        every.append(
            f"{TRAIN} does not show the training that was exported: whether epochs, batches, rows "
            "and orders are still the same cannot be told"
        )
    elif then.trained.rows != problem.rows:
        every.append(f"the order of visits is new: {order_of(problem)}")
    return EditedBook(
        package.path,
        problem,
        sheets_of(problem.network, titles),
        columns_told(config, keys),
        found,
        tuple(every),
    )


def _with_starts(
    spec: Spec, table: Table, starts: Sequence[Start]
) -> tuple[tuple[LayerSpec, ...], list[str]]:
    """The layers with the weights of ``Init`` that fit, and which of them are drawn."""
    layers, drawn = [], []
    inputs = len(table.input_names)
    for index, layer in enumerate(spec.layers, 1):
        start = starts[index - 1] if index <= len(starts) else None
        if start is not None and start.sizes == (layer.units, inputs):
            weights = tuple(map(tuple, start.weights.tolist()))
            layers.append(replace(layer, weights=weights, bias=tuple(start.bias.tolist())))
        else:
            layers.append(layer)
            drawn.append(f"W{index}")
        inputs = layer.units or 1
    if not drawn:
        return tuple(layers), []
    training = spec.training
    return tuple(layers), [
        f"{', '.join(drawn)}: {INIT} has no weights of this size; {training.initializer} draws "
        f"them from seed {training.seed}, biases are 0"
    ]


def _draws(problem: Problem) -> bool:
    """Whether anything but given weights is drawn from the seed."""
    layers = problem.spec.layers
    by_layer = any(layer.dropout is not None or layer.weights is None for layer in layers)
    return problem.spec.training.shuffle or by_layer


def _first_rows(table: Table, count: int, spec: Spec) -> Table:
    """The first rows, so many in all: of the training rows and of those held out."""
    if count >= table.rows:
        return table
    held = min(table.held_out, rows_held_out(count, spec.data.validation))
    if count - held < 1:
        raise DataError(f"data.rows = {count} leaves none to train on: {held} would be held out")
    first = table.training_rows
    at = np.concatenate((np.arange(count - held), np.arange(first, first + held)))
    return dataclasses.replace(
        table,
        inputs=table.inputs[at],
        targets=None if table.targets is None else table.targets[at],
        labels=None if table.labels is None else tuple(table.labels[i] for i in at),
        held_out=held,
        source_rows=None if table.source_rows is None else tuple(table.source_rows[i] for i in at),
    )
