"""The whole export: limits first, then training and writing as one stream."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from openpyxl import Workbook

from sheetnet import engine
from sheetnet.epoch_formulas import epochs_formulas, validation_formulas
from sheetnet.errors import LimitError
from sheetnet.formulas import ledger_formulas, longest
from sheetnet.layout import EPOCHS_FIRST_ROW, TRAIN_FIRST_ROW, Layout, layout_of
from sheetnet.limits import MAX_COLUMNS, MAX_FORMULA, MAX_ROWS
from sheetnet.output import check_target
from sheetnet.problem import Problem
from sheetnet.regions import DATA, EPOCHS, GUIDE, TRAIN, VALIDATION
from sheetnet.views.make import views_of
from sheetnet.views.view import Content, View
from sheetnet.workbook.config import write_config
from sheetnet.workbook.data import write_data
from sheetnet.workbook.epochs import write_epochs
from sheetnet.workbook.guide import write_guide
from sheetnet.workbook.init import write_init
from sheetnet.workbook.package import save
from sheetnet.workbook.stream import Stream
from sheetnet.workbook.train import write_train
from sheetnet.workbook.validation import write_validation
from sheetnet.workbook.views import WRITERS
from sheetnet.workbook.watch import Watch


@dataclass(frozen=True)
class Exported:
    """What was written: visits and columns of the ledger, its formula cells, the file's bytes.

    ``diverged_at`` is the first visit with a number that a sheet cannot hold, or None;
    ``first_loss`` and ``last_loss`` are mean losses of the first and last epoch;
    ``best_epoch`` has the lowest validation loss, after ``stopped_after`` training ended
    early (from 1; None where there is none).
    """

    path: Path
    visits: int
    columns: int
    formulas: int
    size: int
    first_loss: float
    last_loss: float
    diverged_at: int | None
    best_epoch: int | None = None
    stopped_after: int | None = None


def check_limits(problem: Problem, layout: Layout, longest_formula: int) -> None:
    """Raise :class:`LimitError` that says what would fit, before anything is trained."""
    room = MAX_ROWS - TRAIN_FIRST_ROW + 1
    each = max(problem.rows, problem.held_out)
    if each * layout.epochs > room:
        epochs = room // each
        fits = f"{epochs} epochs of {each} rows" if epochs else f"rows = {room}"
        raise LimitError(
            f"{layout.epochs} epochs of {each} rows make {each * layout.epochs} visits, but a "
            f"sheet has room for {room}; what fits: {fits}"
        )
    if layout.epochs > MAX_ROWS - EPOCHS_FIRST_ROW + 1:
        raise LimitError(
            f"training.epochs is {layout.epochs}, but Epochs has room for "
            f"{MAX_ROWS - EPOCHS_FIRST_ROW + 1}"
        )
    if layout.data.last_row > MAX_ROWS:
        raise LimitError(
            f"{problem.table.rows} rows of data do not fit on a sheet; what fits: rows = "
            f"{MAX_ROWS - layout.data.first_row + 1}"
        )
    for name, width in (("Train", layout.ledger.width), ("Data", layout.data.last_column)):
        if width > MAX_COLUMNS:
            raise LimitError(
                f"{name} would need {width} columns for the network {problem.network.label}, "
                f"but a sheet has {MAX_COLUMNS}: use fewer units or inputs"
            )
    if longest_formula > MAX_FORMULA:
        raise LimitError(
            f"a formula of the network {problem.network.label} would have {longest_formula} "
            f"characters, but a cell holds {MAX_FORMULA}: use fewer units in the layers"
        )


def check_views(views: Sequence[View]) -> None:
    """Raise :class:`LimitError` for a sheet beside the training that does not fit."""
    for view in views:
        row, column = view.extent
        formulas = [f.rest for table in view.tables for f in table.formulas if f is not None]
        characters = max(map(len, [*formulas, *(cell.text for cell in view.cells)]), default=0)
        for found, room, what in (
            (row, MAX_ROWS, "rows"),
            (column, MAX_COLUMNS, "columns"),
            (characters, MAX_FORMULA, "characters in a formula"),
        ):
            if found > room:
                raise LimitError(
                    f"{view.title} would need {found} {what}, but there is room for {room}: "
                    "leave it out (--sheets names those to be written)"
                )


def export(
    problem: Problem,
    path: Path,
    *,
    overwrite: bool = True,
    sheets: Iterable[str] | None = None,
    bugs: int = 0,
) -> Exported:
    """Train and write the workbook, all of it or nothing; ``sheets`` None: all that apply.

    ``bugs`` is the number of faults that will be put into it as a bug hunt.
    """
    check_target(path, overwrite=overwrite, read=problem.spec.files)
    layout = layout_of(problem, sheets, bugs)
    formulas = {TRAIN: ledger_formulas(problem, layout)}
    if VALIDATION in layout.sheets:
        formulas[VALIDATION] = validation_formulas(layout)
    if EPOCHS in layout.sheets:
        formulas[EPOCHS] = epochs_formulas(layout)
    check_limits(problem, layout, max(map(longest, formulas.values())))
    views = views_of(problem, layout)
    check_views(views)
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.creator = "sheetnet"
    cached: dict[tuple[str, int, int], Content] = {}
    watch = Watch(problem, layout, views, cached)
    if GUIDE in layout.sheets:
        write_guide(book, problem, layout)
    write_config(book, problem, layout.sheets, layout.bugs)
    streams: dict[str, Sequence[Stream]] = {}
    streams[DATA] = [write_data(book, problem, layout.data, cached)]
    write_init(book, problem, layout.init)
    blocks = watch.passing(engine.blocks(problem, layout.ledgers))
    streams[TRAIN] = [write_train(book, problem, layout, formulas[TRAIN], blocks)]
    if VALIDATION in layout.sheets:
        held_out = watch.validation()
        streams[VALIDATION] = [
            write_validation(book, problem, layout, formulas[VALIDATION], held_out)
        ]
    if EPOCHS in layout.sheets:
        streams[EPOCHS] = [write_epochs(book, problem, layout, formulas[EPOCHS], watch.epochs)]
    for view in views:
        streams[view.title] = WRITERS[view.title](book, problem, layout, view, watch.tables(view))
    save(book, path, streams, cached, overwrite=overwrite)
    live = {title: sum(f is not None for f in columns) for title, columns in formulas.items()}
    losses = layout.ledgers.epochs["loss"].view(watch.all_epochs)
    return Exported(
        path=path,
        visits=layout.visits,
        columns=layout.ledger.width,
        formulas=sum(live[title] * streams[title][0].rows for title in formulas),
        size=path.stat().st_size,
        first_loss=float(losses[0]),
        last_loss=float(losses[-1]),
        diverged_at=watch.diverged_at,
        best_epoch=watch.last("best_epoch"),
        stopped_after=watch.stopped_after,
    )
