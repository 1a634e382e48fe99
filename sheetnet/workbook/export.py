"""The whole export: limits first, then training and writing as one stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from openpyxl import Workbook

from sheetnet import engine
from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.stopping import STOPPED
from sheetnet.epoch_formulas import epochs_formulas, validation_formulas
from sheetnet.errors import LimitError
from sheetnet.formulas import ledger_formulas, longest
from sheetnet.layout import EPOCHS_FIRST_ROW, TRAIN_FIRST_ROW, Layout, layout_of
from sheetnet.limits import MAX_COLUMNS, MAX_FORMULA, MAX_ROWS
from sheetnet.output import check_target
from sheetnet.problem import Problem
from sheetnet.regions import DATA, EPOCHS, TRAIN, VALIDATION
from sheetnet.workbook.config import write_config
from sheetnet.workbook.data import write_data
from sheetnet.workbook.epochs import cache_best, write_epochs
from sheetnet.workbook.guide import write_guide
from sheetnet.workbook.init import write_init
from sheetnet.workbook.package import save
from sheetnet.workbook.train import write_train
from sheetnet.workbook.validation import write_validation


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


def export(problem: Problem, path: Path, *, overwrite: bool = True) -> Exported:
    """Train and write the workbook, all of it or nothing."""
    check_target(path, overwrite=overwrite, read=problem.spec.files)
    layout = layout_of(problem)
    formulas = {TRAIN: ledger_formulas(problem, layout), EPOCHS: epochs_formulas(layout)}
    if layout.validation is not None:
        formulas[VALIDATION] = validation_formulas(layout)
    check_limits(problem, layout, max(map(longest, formulas.values())))
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.creator = "sheetnet"
    cached: dict[tuple[str, int, int], float] = {}
    watch = _Watch(layout, cached)
    write_guide(book, problem, layout)
    write_config(book, problem)
    streams = {DATA: write_data(book, problem, layout.data, cached)}
    write_init(book, problem, layout.init)
    blocks = watch.passing(engine.blocks(problem, layout.ledgers))
    streams[TRAIN] = write_train(book, problem, layout, formulas[TRAIN], blocks)
    if layout.validation is not None:
        held_out = watch.validation(problem)
        streams[VALIDATION] = write_validation(
            book, problem, layout, formulas[VALIDATION], held_out
        )
    streams[EPOCHS] = write_epochs(book, problem, layout, formulas[EPOCHS], watch.epochs)
    save(book, path, streams, cached, overwrite=overwrite)
    live = {title: sum(f is not None for f in columns) for title, columns in formulas.items()}
    losses = layout.ledgers.epochs["loss"].view(watch.all_epochs)
    return Exported(
        path=path,
        visits=layout.visits,
        columns=layout.ledger.width,
        formulas=sum(live[title] * streams[title].rows for title in formulas),
        size=path.stat().st_size,
        first_loss=float(losses[0]),
        last_loss=float(losses[-1]),
        diverged_at=watch.diverged_at,
        best_epoch=watch.last("best_epoch"),
        stopped_after=watch.stopped_after,
    )


class _Watch:
    """Keeps the rows of ``Epochs``, and where the run diverged, of blocks passing by.

    The sheets after ``Train`` are written from what it has kept by then.
    """

    def __init__(self, layout: Layout, cached: dict[tuple[str, int, int], float]) -> None:
        self.layout, self.cached = layout, cached
        self.epochs: list[Array] = []
        self.diverged_at: int | None = None

    def passing(self, blocks: Iterator[engine.Part]) -> Iterator[Array]:
        done = 0
        for block in blocks:
            self.epochs.append(block.epochs)
            if self.diverged_at is None:
                row = engine.first_divergence(block.train)
                self.diverged_at = None if row is None else done + row
            done += len(block.train)
            yield block.train
        if self.layout.best_row is not None:
            cache_best(self.layout, self.all_epochs, self.cached)

    @property
    def all_epochs(self) -> Array:
        """The rows of ``Epochs``."""
        return np.concatenate(self.epochs)

    def validation(self, problem: Problem) -> Iterator[Array]:
        """The rows of ``Validation``, made when they are written."""
        yield from engine.validation_blocks(problem, self.layout.ledgers, self.all_epochs)

    def last(self, name: str) -> int | None:
        """A whole number in the last row of ``Epochs``, if there is such a column."""
        ledger = self.layout.ledgers.epochs
        return int(ledger[name].view(self.all_epochs)[-1]) if name in ledger else None

    @property
    def stopped_after(self) -> int | None:
        """The epoch (from 1) after which training ended early, or None."""
        ledger = self.layout.ledgers.epochs
        if STOPPED not in ledger:
            return None
        return engine.first_stop(ledger, self.all_epochs)
