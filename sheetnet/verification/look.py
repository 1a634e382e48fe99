"""A workbook recalculated by an engine, beside the training that Python makes of its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sheetnet.reader.grid import read_grid
from sheetnet.reader.package import Package
from sheetnet.reader.workbook import Book, read_book
from sheetnet.recalc import recalculate
from sheetnet.verification.area import Area, Single
from sheetnet.verification.areas import LedgerSheet, Trained, data_areas, ledger_areas
from sheetnet.verification.view_areas import view_areas


@dataclass(frozen=True)
class Looked:
    """``areas`` are all computed cells, in the order in which numbers flow; ``sheets`` by title."""

    book: Book
    sheets: Mapping[str, LedgerSheet]
    trained: Trained
    areas: tuple[Area | Single, ...]


def look(package: Package, engine: str, before: Looked | None = None) -> Looked:
    """Recalculate and train; raises :class:`WorkbookError` or :class:`EngineError`.

    ``before``: the same workbook with other inputs, whose ledgers hold the same.
    """
    with recalculate(package, engine) as values:
        book = read_book(package, values)
        data = values(book.data.title, *book.data.numbers.shape)
        sheets = {}
        for region, _ in book.layout.ledger_sheets:
            size = region.last_row, region.last_column
            title = region.sheet
            file = before.sheets[title].file if before else read_grid(package, title, *size)
            sheets[title] = LedgerSheet(file, values(title, *size))
        for view, grid in zip(book.views, book.grids, strict=True):
            sheets[view.title] = LedgerSheet(grid, values(view.title, *view.extent))
    trained = Trained.of(book.problem, book.layout.ledgers)
    areas = (
        *data_areas(book, data),
        *ledger_areas(book, data, sheets, trained),
        *view_areas(book, data, sheets, trained),
    )
    return Looked(book, sheets, trained, areas)
