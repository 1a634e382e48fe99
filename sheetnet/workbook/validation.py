"""``Validation``: the forward pass of every held-out row after each epoch."""

from __future__ import annotations

from collections.abc import Iterable

from openpyxl import Workbook

from sheetnet.concepts.arithmetic import Array
from sheetnet.epoch_ledgers import HELD_OUT_PLACE
from sheetnet.formula import Formula
from sheetnet.layout import TRAIN_GROUP_ROW, TRAIN_NAME_ROW, VALIDATION_FIRST_ROW, Layout
from sheetnet.problem import Problem
from sheetnet.regions import VALIDATION, letter
from sheetnet.workbook import styles
from sheetnet.workbook.ledger_sheet import add_formats, write_ledger
from sheetnet.workbook.stream import Stream
from sheetnet.workbook.train import stopped_at


def write_validation(
    book: Workbook,
    problem: Problem,
    layout: Layout,
    formulas: tuple[Formula | None, ...],
    blocks: Iterable[Array],
) -> Stream:
    """Add the sheet's head; return its rows, whose numbers ``blocks`` brings."""
    ledger, region = layout.ledgers.validation, layout.validation
    assert ledger is not None and region is not None  # asked only where rows are held out
    sheet = book.create_sheet(VALIDATION)
    stream = write_ledger(sheet, problem, ledger, region, formulas, blocks)
    places = len(HELD_OUT_PLACE)
    styles.for_screen_and_page(
        sheet,
        f"{letter(places + 1)}{VALIDATION_FIRST_ROW}",
        one_page_wide=ledger.width <= styles.ONE_PAGE,
    )
    sheet.print_title_rows = f"{TRAIN_GROUP_ROW}:{TRAIN_NAME_ROW}"
    sheet.print_title_cols = f"A:{letter(places)}"
    sheet.sheet_view.zoomScale = 90
    add_formats(sheet, ledger, region, stopped_at(ledger, region.row))
    return stream
