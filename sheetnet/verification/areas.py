"""The computed areas of a workbook: their formulas, and what Python has for each cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sheetnet import engine
from sheetnet.concepts.arithmetic import Array, errors_to_nan
from sheetnet.epoch_formulas import best_formulas, epochs_formulas, validation_formulas
from sheetnet.epoch_ledgers import Ledgers
from sheetnet.formula import Formula, same
from sheetnet.formulas import data_formulas, ledger_formulas, statistic_formulas
from sheetnet.layout import Layout
from sheetnet.local import Sheets, fill_in, local_epochs, local_train, local_validation
from sheetnet.pipeline import folded_of
from sheetnet.problem import Problem, Scaled, encode
from sheetnet.reader.cells import Grid, Values
from sheetnet.reader.workbook import Book
from sheetnet.regions import DATA, EPOCHS, VALIDATION, Region
from sheetnet.verification.area import Area


def data_areas(book: Book, values: Values) -> list[Area]:
    """The statistics and the columns x, y of ``Data``, where there are any."""
    layout, problem = book.layout.data, book.problem
    areas = []
    sides: dict[str, Scaled] = {
        "input statistics": problem.inputs,
        "target statistics": problem.targets,
    }
    sheet_statistics: dict[str, dict[str, Array]] = {name: {} for name in sides}
    for name, texts in statistic_formulas(layout, problem):
        region, scaled = layout.regions[name], sides[name]
        known = sheet_statistics[name]
        for offset, statistic in enumerate(scaled.scaling.statistics):
            row = Region(DATA, region.row + offset, region.column, 1, region.columns)
            local = [
                statistic.value(column, {key: float(held[c]) for key, held in known.items()})
                for c, column in enumerate(np.ascontiguousarray(scaled.raw[: problem.rows].T))
            ]
            known[statistic.name] = values.region(row)[0]
            areas.append(
                Area(
                    row,
                    tuple(f"{statistic.name} of {n}" for n in _columns(book, name)),
                    tuple(same(t) for t in texts[offset * region.columns :][: region.columns]),
                    book.data,
                    values,
                    errors_to_nan(np.array([local])),
                    scaled.statistics[statistic.name][None, :],
                )
            )
    body = _body_area(book, values, sheet_statistics)
    return areas if body is None else [*areas, body]


def _columns(book: Book, name: str) -> tuple[str, ...]:
    table = book.problem.table
    return table.input_names if name == "input statistics" else table.target_names


def _body_area(
    book: Book, values: Values, statistics: Mapping[str, Mapping[str, Array]]
) -> Area | None:
    """The columns of ``Data`` that the network sees, computed from the raw ones."""
    layout, problem = book.layout.data, book.problem
    local, python, names = [], [], []
    with np.errstate(all="ignore"):
        if layout.scales_inputs:
            known = statistics["input statistics"]
            local.append(problem.inputs.scaling.value(problem.inputs.raw, known))
            python.append(problem.inputs.values)
            names += [f"x[{i}]" for i in range(1, len(layout.input_names) + 1)]
        if layout.derives_targets:
            known = statistics["target statistics"]
            if layout.coded:
                assert problem.table.labels is not None and problem.classes is not None
                local.append(encode(problem.table.labels, problem.classes, layout.outputs))
            else:
                local.append(problem.targets.scaling.value(problem.targets.raw, known))
            python.append(problem.targets.values)
            names += [f"y[{k}]" for k in range(1, layout.outputs + 1)]
    if not local:
        return None
    region = layout.body(layout.raw_end, layout.last_column - layout.raw_end + 1)
    return Area(
        region,
        tuple(names),
        tuple(data_formulas(layout, problem)),
        book.data,
        values,
        errors_to_nan(np.hstack(local)),
        np.hstack(python),
    )


@dataclass(frozen=True)
class LedgerSheet:
    """A ledger in the workbook: what the file holds and what the engine calculated."""

    file: Grid
    values: Values


@dataclass(frozen=True)
class Trained:
    """The workbook's training in Python: rows of ``Train`` and of ``Epochs``."""

    train: Array
    epochs: Array

    @staticmethod
    def of(problem: Problem, ledgers: Ledgers) -> Trained:
        """Train it."""
        parts = list(engine.blocks(problem, ledgers))
        return Trained(
            np.concatenate([part.train for part in parts]),
            np.concatenate([part.epochs for part in parts]),
        )


def train_rows(problem: Problem, layout: Layout, sheets: Mapping[str, LedgerSheet]) -> Array:
    """The ledger as the engine calculated it, of all its sheets: (visits, columns).

    What has no column there follows from those that there are.
    """
    own = layout.on_sheets.sheets
    if layout.train.columns == layout.ledger.width:
        return sheets[own[0].title].values.region(layout.train)
    matrix = np.empty((layout.visits, layout.ledger.width))
    for sheet in reversed(own):
        matrix[:, sheet.columns] = sheets[sheet.title].values.region(layout.region_of(sheet))
    fill_in(problem, layout.ledger, matrix, folded_of(problem.network))
    return matrix


def ledger_areas(
    book: Book, data: Values, sheets: Mapping[str, LedgerSheet], trained: Trained
) -> list[Area]:
    """The ledgers. Their local inputs are the sheets' own, ``Data``'s x and y among them."""
    layout, problem = book.layout, book.problem
    ledgers, validation = layout.ledgers, layout.validation
    validation = validation if VALIDATION in layout.sheets else None
    empty = np.empty((0, ledgers.epochs.width))

    def held(region: Region) -> Array:
        return sheets[region.sheet].values.region(region)

    own = Sheets(
        train=train_rows(problem, layout, sheets),
        epochs=held(layout.epoch_rows) if EPOCHS in layout.sheets else empty,
        validation=None if validation is None else held(validation),
        x=data.region(layout.data.body(layout.data.x_column, problem.network.inputs)),
        y=data.region(layout.data.body(layout.data.y_column, problem.network.outputs)),
    )
    epochs = trained.epochs
    areas = []

    def add(
        region: Region,
        names: tuple[str, ...],
        formulas: tuple[Formula | None, ...],
        local: Array,
        python: Array,
        *,
        visits: bool = False,
    ) -> None:
        sheet = sheets[region.sheet]
        areas.append(
            Area(
                region,
                names,
                formulas,
                sheet.file,
                sheet.values,
                local,
                python,
                visits,
                first_visit=layout.first_visit,
            )
        )

    formulas, local = ledger_formulas(problem, layout), local_train(problem, ledgers, own)
    for sheet in layout.on_sheets.sheets:
        add(
            layout.region_of(sheet),
            sheet.ledger.labels,
            tuple(formulas[c] for c in sheet.columns.tolist()),
            sheet.of(local),
            sheet.of(trained.train),
            visits=True,
        )
    if validation is not None and ledgers.validation is not None:
        add(
            validation,
            ledgers.validation.labels,
            validation_formulas(layout),
            local_validation(problem, ledgers, own),
            np.concatenate(list(engine.validation_blocks(problem, ledgers, epochs))),
        )
    if EPOCHS not in layout.sheets:
        return areas
    add(
        layout.epoch_rows,
        ledgers.epochs.labels,
        epochs_formulas(layout),
        local_epochs(problem, ledgers, own),
        epochs,
    )
    if layout.best_row is not None:
        add(
            layout.best_row,
            tuple(f"{name} of the best epoch" for name in ledgers.epochs.labels),
            best_formulas(layout),
            _best(ledgers, own.epochs),
            _best(ledgers, epochs),
        )
    return areas


def _best(ledgers: Ledgers, epochs: Array) -> Array:
    """The row of the best epoch (1, columns), its number in front."""
    best = ledgers.epochs["best_epoch"].view(epochs)[-1]
    inside = np.isfinite(best) and 1 <= best <= len(epochs)
    row = epochs[int(best) - 1] if inside else np.full(ledgers.epochs.width, np.nan)
    return np.concatenate(([best], row[1:]))[None, :]
