"""What commands work on: a spec, or a workbook that is one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sheetnet.editing import EditedBook
    from sheetnet.spec import Spec


def load(path: Path, *, say: bool = True, **options: Any) -> Spec | EditedBook:
    """Read a spec or a workbook, with other values put in.

    Of a workbook stderr tells what differs from its export (``say``).
    """
    import sheetnet
    from sheetnet.package import is_book

    if not is_book(path):
        return sheetnet.load_spec(path).override(**options)
    book = sheetnet.load_book(path).override(**options)
    if say:
        click.echo(book.to_text(), err=True)
    return book
