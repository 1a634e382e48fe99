"""``Train``: the head of the ledger and its rows as a stream."""

from __future__ import annotations

from collections.abc import Iterable

from openpyxl import Workbook

from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.stopping import STOPPED
from sheetnet.formula import Formula
from sheetnet.layout import Layout
from sheetnet.ledger import Ledger
from sheetnet.problem import Problem
from sheetnet.regions import TRAIN, Region, letter
from sheetnet.workbook import styles
from sheetnet.workbook.heat import add_heat
from sheetnet.workbook.ledger_sheet import add_formats, everywhere, frame_train, write_ledger
from sheetnet.workbook.stream import Stream


def write_train(
    book: Workbook,
    problem: Problem,
    layout: Layout,
    formulas: tuple[Formula | None, ...],
    blocks: Iterable[Array],
) -> Stream:
    """Add the sheet's head; return its rows, whose numbers ``blocks`` brings."""
    sheet = book.create_sheet(TRAIN)
    stream = write_ledger(sheet, problem, layout.ledger, layout.train, formulas, blocks)
    frame_train(sheet, problem, layout.ledger.width)
    add_heat(sheet, layout.ledger, layout.train)
    add_formats(sheet, layout.ledger, layout.train)
    if problem.network.stops:
        styles.grey(sheet, everywhere(layout.train), stopped_here(layout.ledger, layout.train))
    return stream


def stopped_here(ledger: Ledger, region: Region) -> str:
    """Whether training had ended before a row, as a formula for the region's first row."""
    return f"${letter(ledger[STOPPED].first + 1)}{region.row}=1"
