"""The whole export: limits first, then training and writing as one stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from openpyxl import Workbook

from sheetnet import engine
from sheetnet.concepts.arithmetic import Array
from sheetnet.epoch_formulas import epochs_formulas, validation_formulas
from sheetnet.formula import Formula
from sheetnet.formulas import ledger_formulas
from sheetnet.layout import Layout, layout_of
from sheetnet.output import check_target
from sheetnet.problem import Problem
from sheetnet.progress import Progress, untold
from sheetnet.regions import DATA, EPOCHS, GUIDE, TRAIN, VALIDATION
from sheetnet.values import choice
from sheetnet.views.make import views_of
from sheetnet.views.view import Content, View
from sheetnet.window import ALL_COLUMNS, COMPACT
from sheetnet.windows import at_start, outlined
from sheetnet.workbook.config import write_config
from sheetnet.workbook.data import write_data
from sheetnet.workbook.epochs import write_epochs
from sheetnet.workbook.fitting import (
    BYTES_PER_CELL,
    LARGE,
    check_formulas,
    check_limits,
    check_views,
    size_of,
    without_wide_ledgers,
    without_wide_views,
)
from sheetnet.workbook.guide import write_guide
from sheetnet.workbook.init import write_init
from sheetnet.workbook.init_state import write_state
from sheetnet.workbook.package import save
from sheetnet.workbook.stream import Stream, counted
from sheetnet.workbook.train import write_train
from sheetnet.workbook.validation import write_validation
from sheetnet.workbook.views import WRITERS
from sheetnet.workbook.watch import Watch


@dataclass(frozen=True)
class Exported:
    """What was written: visits and columns of the ledger, its formula cells, the file's bytes.

    ``diverged_at`` is the first visit with a number that a sheet cannot hold, or None;
    ``first_loss`` and ``last_loss`` are mean losses of the first and last epoch, of a window
    (which begins at ``first_visit``, else None) the losses of its first and last visit;
    ``best_epoch`` has the lowest validation loss, after ``stopped_after`` training ended
    early (from 1; None where there is none). ``left_out`` says of sheets that apply, but
    are not there, why; ``saved`` are columns that compact ones do without.
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
    left_out: tuple[str, ...] = ()
    first_visit: int | None = None
    saved: int = 0

    @property
    def bytes_per_cell(self) -> int:
        """Of the file, about."""
        return BYTES_PER_CELL


def export(
    problem: Problem,
    path: Path,
    *,
    overwrite: bool = True,
    sheets: Iterable[str] | None = None,
    bugs: int = 0,
    window: tuple[int | None, int | None] | None = None,
    columns: str = ALL_COLUMNS,
    notice: Callable[[str], None] | None = None,
    progress: Progress = untold,
) -> Exported:
    """Train and write the workbook, all of it or nothing.

    ``sheets`` None: all that apply and fit. ``window`` is the first visit and how many
    (None: from the first, to the last); None: all of them. ``columns``: ``all``, or
    ``compact`` without those that follow at once from others. ``notice`` is told before the
    training how large the workbook will be, where it is large. ``bugs`` is the number of
    faults that will be put into it as a bug hunt. ``progress`` is told of cells.
    """
    check_target(path, overwrite=overwrite, read=problem.spec.files)
    choice("columns", columns, dict.fromkeys((ALL_COLUMNS, COMPACT)))
    if columns == COMPACT:
        problem = replace(problem, network=replace(problem.network, compact=True))
    if window is not None:
        problem = outlined(problem, *window)
    layout, formulas, views, left_out = _planned(problem, sheets, bugs)
    size = size_of(layout, views)
    if notice is not None and size.cells > LARGE:
        notice(size.to_text())
    before = 0
    if window is not None:
        width = layout.ledger.width

        def told(done: int, needed: int) -> None:
            nonlocal before
            before = needed * width
            progress(done * width, before + size.cells)

        problem = at_start(problem, told)
        views = views_of(problem, layout)  # they show what it starts from
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
    if problem.window is not None:
        write_state(book, problem.window, layout.init)
    blocks = watch.passing(engine.blocks(problem, layout.ledgers))
    for own in layout.on_sheets.sheets:
        streams[own.title] = [write_train(book, problem, layout, own, formulas[TRAIN], blocks)]
        # Of further sheets the numbers are made again: nobody has room for all of them.
        blocks = _ledger(problem, layout)
    if VALIDATION in layout.sheets:
        held_out = watch.validation()
        streams[VALIDATION] = [
            write_validation(book, problem, layout, formulas[VALIDATION], held_out)
        ]
    if EPOCHS in layout.sheets:
        streams[EPOCHS] = [write_epochs(book, problem, layout, formulas[EPOCHS], watch.epochs)]
    for view in views:
        streams[view.title] = WRITERS[view.title](book, problem, layout, view, watch.tables(view))
    save(book, path, counted(streams, before, progress), cached, overwrite=overwrite)
    live = {title: sum(f is not None for f in columns) for title, columns in formulas.items()}
    losses: Sequence[float] = watch.losses
    if problem.window is None:
        losses = layout.ledgers.epochs["loss"].view(watch.all_epochs).tolist()
    return Exported(
        path=path,
        visits=layout.visits,
        columns=layout.on_sheets.width,
        saved=layout.ledger.width - layout.on_sheets.width,
        formulas=sum(live[title] * streams[title][0].rows for title in formulas),
        size=path.stat().st_size,
        first_loss=losses[0],
        last_loss=losses[-1],
        first_visit=layout.first_visit if problem.window is not None else None,
        diverged_at=watch.diverged_at,
        best_epoch=watch.last("best_epoch"),
        stopped_after=problem.window.stopped_after if problem.window else watch.stopped_after,
        left_out=left_out,
    )


def _ledger(problem: Problem, layout: Layout) -> Iterator[Array]:
    for part in engine.blocks(problem, layout.ledgers):
        yield part.train


def _planned(
    problem: Problem, sheets: Iterable[str] | None, bugs: int
) -> tuple[Layout, dict[str, tuple[Formula | None, ...]], tuple[View, ...], tuple[str, ...]]:
    """Layout, formulas of the ledgers, views, and what is left out, all within limits."""
    layout = layout_of(problem, sheets, bugs)
    left_out: tuple[str, ...] = ()
    if sheets is None:
        layout, left_out = without_wide_ledgers(layout)
    check_limits(problem, layout)
    formulas = {TRAIN: ledger_formulas(problem, layout)}
    if VALIDATION in layout.sheets:
        formulas[VALIDATION] = validation_formulas(layout)
    if EPOCHS in layout.sheets:
        formulas[EPOCHS] = epochs_formulas(layout)
    for columns in formulas.values():
        check_formulas(problem, columns)
    views = views_of(problem, layout)
    if sheets is None:
        layout, views, too_large = without_wide_views(layout, views)
        left_out = (*left_out, *too_large)
    check_views(views)
    return layout, formulas, views, left_out
