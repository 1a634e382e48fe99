"""``Epochs``: what each epoch came to, the weights it reached, and live charts of both."""

from __future__ import annotations

from collections.abc import Iterable

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.concepts.arithmetic import Array
from sheetnet.epoch_formulas import best_formulas
from sheetnet.formula import Formula
from sheetnet.layout import EPOCHS_BEST_ROW, EPOCHS_HEAD_ROW, EPOCHS_NAME_ROW, Layout
from sheetnet.problem import Problem
from sheetnet.regions import EPOCHS
from sheetnet.views.view import Content
from sheetnet.workbook import styles
from sheetnet.workbook.charts import add_charts
from sheetnet.workbook.ledger_sheet import add_fine, add_formats, number_format, write_ledger
from sheetnet.workbook.stream import Stream
from sheetnet.workbook.styles import FormulaText, put
from sheetnet.workbook.train import stopped_at


def write_epochs(
    book: Workbook,
    problem: Problem,
    layout: Layout,
    formulas: tuple[Formula | None, ...],
    blocks: Iterable[Array],
) -> Stream:
    """Add the sheet's head and charts; return its rows, whose numbers ``blocks`` brings."""
    sheet = book.create_sheet(EPOCHS)
    styles.title(sheet, "Epochs", _explanation(problem))
    styles.back(sheet, 3)
    region = layout.epoch_rows
    stream = write_ledger(sheet, problem, layout.ledgers.epochs, region, formulas, blocks)
    add_charts(book, problem, layout)
    # Grey is what follows on the end, not the epoch that brought it about.
    grey = stopped_at(layout.ledgers.epochs, region.row - 1)
    add_formats(sheet, layout.ledgers.epochs, region, grey)
    if layout.best_row is not None:
        _best(sheet, layout)
    styles.for_screen_and_page(
        sheet, "B1", one_page_wide=layout.ledgers.epochs.width <= styles.ONE_PAGE
    )
    if not sheet.sheet_properties.pageSetUpPr:
        sheet.page_setup.scale = 60  # the charts side by side
    sheet.print_title_rows = f"{EPOCHS_HEAD_ROW}:{EPOCHS_NAME_ROW}"
    return stream


def _explanation(problem: Problem) -> str:
    text = "Means over the rows of each epoch on Train, and the weights that it reached."
    if problem.network.stops:
        text += " After the end of training (stopped = 1) rows are grey: their weights stay."
    return text


def _best(sheet: Worksheet, layout: Layout) -> None:
    blocks = layout.ledgers.epochs.blocks
    forms = [number_format(block) for block in blocks for _ in range(block.size)]
    for column, (formula, form) in enumerate(zip(best_formulas(layout), forms, strict=True), 1):
        text = FormulaText(f"={formula.rest}")
        cell = put(sheet, EPOCHS_BEST_ROW, column, text, styles.BOLD, styles.BEST_FILL)
        cell.number_format = '"best: "0' if column == 1 else form
    assert layout.best_row is not None  # else nobody asks for it
    add_fine(sheet, layout.ledgers.epochs, layout.best_row)


def cache_best(layout: Layout, epochs: Array, cached: dict[tuple[str, int, int], Content]) -> None:
    """Note the values of the best epoch (from 1), once the rows of ``Epochs`` are known."""
    best = int(layout.ledgers.epochs["best_epoch"].view(epochs)[-1])
    for column, value in enumerate(epochs[best - 1], 1):
        cached[(EPOCHS, EPOCHS_BEST_ROW, column)] = float(best if column == 1 else value)
