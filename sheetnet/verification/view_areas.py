"""The computed cells of the sheets that look at the training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.reader.cells import Values
from sheetnet.reader.workbook import Book
from sheetnet.regions import Region
from sheetnet.verification.area import Area, Single
from sheetnet.verification.areas import LedgerSheet, Trained, train_rows
from sheetnet.views.view import Content, Filled, Source, View


def view_areas(
    book: Book, data: Values, sheets: Mapping[str, LedgerSheet], trained: Trained
) -> Iterator[Area | Single]:
    """Their tables, then their single cells; the local values follow from the sheet's ``Train``."""
    layout, problem = book.layout, book.problem
    own = train_rows(problem, layout, sheets)
    first = layout.first_visit
    for view, chosen in zip(book.views, book.chosen, strict=True):
        sheet = sheets[view.title]

        def held(region: Region, sheet: LedgerSheet = sheet) -> Array:
            return _held(sheet, region)

        local = Source(
            train=lambda visit: own[visit - first],
            python=lambda visit: trained.train[visit - first],
            x=data.region(layout.data.body(layout.data.x_column, problem.network.inputs)),
            y=data.region(layout.data.body(layout.data.y_column, problem.network.outputs)),
            held=held,
            by_itself=True,
        )
        python = Source(
            train=local.python,
            python=local.python,
            x=problem.inputs.values,
            y=problem.targets.values,
            held=held,
        )
        with np.errstate(all="ignore"):
            found = view.values(local, chosen), view.values(python, chosen)
        sizes = found[1].table_sizes or (None,) * len(view.tables)
        for table, size, mine, wanted in zip(
            view.tables, sizes, *(f.tables for f in found), strict=True
        ):
            names, formulas = table.ledger.labels, table.formulas
            files = sheet.file, sheet.values
            yield Area(table.region, names, formulas, *files, mine, wanted, size=size)
        yield _singles(view, sheet, *found)


def _held(sheet: LedgerSheet, region: Region) -> Array:
    """Constants with all digits that the file has, and what the engine made of all else."""
    rows = slice(region.row - 1, region.last_row)
    columns = slice(region.column - 1, region.last_column)
    own = sheet.file.region(region)
    constant = (sheet.file.formulas[rows, columns] == 0) & np.isfinite(own)
    return np.where(constant, own, sheet.values.region(region))


def _singles(view: View, sheet: LedgerSheet, local: Filled, python: Filled) -> Single:
    places = tuple((cell.row, cell.column) for cell in view.cells)
    texts = {
        n: str(local.cells[p]) for n, p in enumerate(places) if isinstance(local.cells[p], str)
    }
    return Single(
        sheet=view.title,
        places=places,
        names=tuple(cell.quantity for cell in view.cells),
        expected=tuple(cell.text for cell in view.cells),
        file=sheet.file,
        values=sheet.values,
        local=_numbers(local, places),
        python=_numbers(python, places),
        size=np.array([python.sizes.get(place, 0.0) for place in places]),
        texts=texts,
        unread={n: local.unread[p] for n, p in enumerate(places) if p in local.unread},
    )


def _numbers(filled: Filled, places: tuple[tuple[int, int], ...]) -> Array:
    """The numbers of cells, nan for texts and errors: (1, cells)."""

    def number(content: Content) -> float:
        return float("nan") if isinstance(content, str) else content

    return np.array([[number(filled.cells[place]) for place in places]])
