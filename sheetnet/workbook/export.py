"""The whole export: limits first, then training and writing as one stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from openpyxl import Workbook

from sheetnet import engine
from sheetnet.concepts.arithmetic import Array
from sheetnet.errors import LimitError, OutputError
from sheetnet.formula import Formula
from sheetnet.formulas import ledger_formulas, longest
from sheetnet.layout import TRAIN_FIRST_ROW, Layout, layout_of
from sheetnet.ledger import ledger_of
from sheetnet.limits import MAX_COLUMNS, MAX_FORMULA, MAX_ROWS
from sheetnet.problem import Problem
from sheetnet.workbook.config import write_config
from sheetnet.workbook.data import write_data
from sheetnet.workbook.init import write_init
from sheetnet.workbook.package import check_target, save
from sheetnet.workbook.train import write_train


@dataclass(frozen=True)
class Exported:
    """What was written: visits and columns of the ledger, its formula cells, the file's bytes.

    ``diverged_at`` is the first visit with a number that a sheet cannot hold, or None;
    ``first_loss`` and ``last_loss`` are mean losses of the first and last epoch.
    """

    path: Path
    visits: int
    columns: int
    formulas: int
    size: int
    first_loss: float
    last_loss: float
    diverged_at: int | None


def check_limits(problem: Problem, layout: Layout, formulas: tuple[Formula | None, ...]) -> None:
    """Raise :class:`LimitError` that says what would fit, before anything is trained."""
    room = MAX_ROWS - TRAIN_FIRST_ROW + 1
    if layout.visits > room:
        epochs = room // problem.rows
        fits = f"{epochs} epochs of {problem.rows} rows" if epochs else f"rows = {room}"
        raise LimitError(
            f"{problem.spec.training.epochs} epochs of {problem.rows} rows make "
            f"{layout.visits} visits, but a sheet has room for {room}; what fits: {fits}"
        )
    if layout.data.last_row > MAX_ROWS:
        raise LimitError(
            f"{problem.rows} rows of data do not fit on a sheet; what fits: rows = "
            f"{MAX_ROWS - layout.data.first_row + 1}"
        )
    for name, width in (("Train", layout.ledger.width), ("Data", layout.data.last_column)):
        if width > MAX_COLUMNS:
            raise LimitError(
                f"{name} would need {width} columns for the network {problem.network.label}, "
                f"but a sheet has {MAX_COLUMNS}: use fewer units or inputs"
            )
    length = longest(formulas)
    if length > MAX_FORMULA:
        raise LimitError(
            f"a formula of the network {problem.network.label} would have {length} characters, "
            f"but a cell holds {MAX_FORMULA}: use fewer units in the layers"
        )


def export(problem: Problem, path: Path, *, overwrite: bool = True) -> Exported:
    """Train and write the workbook, all of it or nothing."""
    check_target(path, overwrite=overwrite)
    for file in problem.spec.files:
        if path.exists() and file.exists() and path.samefile(file):
            raise OutputError(f"{path} is read by the run: choose another name for the workbook")
    ledger = ledger_of(problem.network)
    layout = layout_of(problem, ledger)
    formulas = ledger_formulas(problem, layout)
    check_limits(problem, layout, formulas)
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.creator = "sheetnet"
    cached: dict[tuple[str, int, int], float] = {}
    watch = _Watch(layout)
    write_config(book, problem)
    data = write_data(book, problem, layout.data, cached)
    write_init(book, problem, layout.init)
    train = write_train(
        book, problem, layout, formulas, watch.passing(engine.blocks(problem, ledger))
    )
    streams = {"Data": data, "Train": train}
    save(book, path, streams, cached, overwrite=overwrite)
    live = sum(formula is not None for formula in formulas)
    means = engine.epoch_means(np.concatenate(watch.losses), problem.rows)
    return Exported(
        path=path,
        visits=layout.visits,
        columns=ledger.width,
        formulas=live * layout.visits,
        size=path.stat().st_size,
        first_loss=float(means[0]),
        last_loss=float(means[-1]),
        diverged_at=watch.diverged_at,
    )


class _Watch:
    """Keeps the losses, and where the run diverged, of blocks passing by."""

    def __init__(self, layout: Layout) -> None:
        self.loss = layout.ledger["loss"]
        self.losses: list[Array] = []
        self.diverged_at: int | None = None

    def passing(self, blocks: Iterator[Array]) -> Iterator[Array]:
        done = 0
        for block in blocks:
            self.losses.append(self.loss.view(block).copy())
            if self.diverged_at is None:
                row = engine.first_divergence(block)
                self.diverged_at = None if row is None else done + row
            done += len(block)
            yield block
