"""``Train``: the head of the ledger and its rows as a stream."""

from __future__ import annotations

from collections.abc import Iterable

from openpyxl import Workbook

from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.stopping import STOPPED
from sheetnet.formula import Formula
from sheetnet.layout import Layout
from sheetnet.ledger import Ledger, place_names
from sheetnet.problem import Problem
from sheetnet.regions import TRAIN, letter
from sheetnet.train_sheets import TrainSheet
from sheetnet.workbook.ledger_sheet import add_formats, frame_train, write_ledger
from sheetnet.workbook.stream import Stream


def write_train(
    book: Workbook,
    problem: Problem,
    layout: Layout,
    own: TrainSheet,
    formulas: tuple[Formula | None, ...],
    blocks: Iterable[Array],
) -> Stream:
    """Add the head of one of its sheets; return its rows, whose numbers ``blocks`` brings.

    ``formulas`` and the columns of ``blocks`` are those of the whole ledger.
    """
    sheet = book.create_sheet(own.title)
    ledger, region = own.ledger, layout.region_of(own)
    mine = tuple(formulas[column] for column in own.columns.tolist())
    stream = write_ledger(sheet, problem, ledger, region, mine, map(own.of, blocks))
    places = len(place_names(problem.network)) if own.title == TRAIN else 1
    frame_train(sheet, places, ledger.width)
    add_formats(sheet, ledger, region, stopped_at(ledger, region.row), heat=True)
    return stream


def stopped_at(ledger: Ledger, row: int) -> str:
    """Whether training had ended by then, as a formula for that row; empty where it cannot."""
    return f"${letter(ledger[STOPPED].first + 1)}{row}=1" if STOPPED in ledger else ""
