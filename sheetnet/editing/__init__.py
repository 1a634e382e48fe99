"""A workbook that somebody has edited and saved, as the spec of a run.

``Config``, ``Data`` and ``Init`` count as they stand now. Unlike ``verify``, which asks
whether the rest of the workbook still follows from them, this reads what a new workbook
can be made of: rows may have been added or deleted, and what is fixed at export changed.
"""

from sheetnet.editing.book import EditedBook, load_book

__all__ = ["EditedBook", "load_book"]
