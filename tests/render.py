"""Render workbooks as a person sees them: every sheet to PNG, through LibreOffice and PDF.

    python tests/render.py [--printed] [--dpi N] [--size WxH] [--at X,Y] FOLDER BOOK.xlsx...

Writes ``FOLDER/BOOK-3-Data.png`` and so on: the top left corner of each sheet, as large
as ``--size`` (pixels, 1700x1200 unless given), from ``--at`` on; and one ``index.html``, a
contact sheet of all workbooks. ``--printed`` shows the first six pages of each workbook
as a printer gets them instead (``BOOK-page-1.png``). For all examples:

    python tests/render.py /tmp/pictures workbooks/*.xlsx

Needs soffice and pdftoppm (poppler-utils).
"""

from __future__ import annotations

import argparse
import html
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from openpyxl import load_workbook

from sheetnet.recalc.libreoffice import convert_all

ONE_PAGE_A_SHEET = 'pdf:calc_pdf_Export:{"SinglePageSheets":{"type":"boolean","value":"true"}}'
PAGES = 6


def render(
    books: Sequence[Path],
    folder: Path,
    *,
    printed: bool = False,
    dpi: int = 90,
    size: tuple[int, int] = (1700, 1200),
    at: tuple[int, int] = (0, 0),
) -> list[Path]:
    """Write the pictures of several workbooks into ``folder``; one start of LibreOffice."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures: list[Path] = []
    with tempfile.TemporaryDirectory() as private:
        kind = "pdf" if printed else ONE_PAGE_A_SHEET
        for book, pdf in zip(books, convert_all(books, Path(private), kind), strict=True):
            names = _names(book, printed=printed)
            area = [] if printed else ["-x", at[0], "-y", at[1], "-W", size[0], "-H", size[1]]
            for page, name in enumerate(names, 1):
                target = folder / f"{book.stem}-{name}"
                command = ["pdftoppm", "-png", "-singlefile", "-r", dpi, "-f", page, "-l", page]
                done = subprocess.run([str(c) for c in (*command, *area, pdf, target)], check=False)
                if done.returncode == 0:  # the workbook may have fewer printed pages
                    pictures.append(target.with_name(target.name + ".png"))
    return [picture for picture in pictures if picture.exists()]


def _names(book: Path, *, printed: bool) -> list[str]:
    if printed:
        return [f"page-{page}" for page in range(1, PAGES + 1)]
    titles = load_workbook(book, read_only=True).sheetnames
    return [f"{i}-{title}" for i, title in enumerate(titles, 1)]


def contact_sheet(pictures: Sequence[Path], folder: Path) -> Path:
    """A page that shows them all, small, each a link to the picture itself."""
    figures = "\n".join(
        f'<a href="{name}"><figure><img src="{name}"><figcaption>{name}</figcaption></figure></a>'
        for name in (html.escape(picture.name) for picture in pictures)
    )
    style = "figure{display:inline-block;margin:8px;width:400px}img{width:100%}"
    page = folder / "index.html"
    page.write_text(f"<meta charset=utf-8><style>{style}</style>\n{figures}\n", encoding="utf-8")
    return page


def _pair(separator: str) -> type[tuple[int, int]]:
    def pair(text: str) -> tuple[int, int]:
        one, other = text.split(separator)
        return int(one), int(other)

    return pair  # type: ignore[return-value]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("books", type=Path, nargs="+")
    parser.add_argument("--printed", action="store_true")
    parser.add_argument("--dpi", type=int, default=90)
    parser.add_argument("--size", type=_pair("x"), default=(1700, 1200))
    parser.add_argument("--at", type=_pair(","), default=(0, 0))
    given = parser.parse_args()
    found = render(
        given.books,
        given.folder,
        printed=given.printed,
        dpi=given.dpi,
        size=given.size,
        at=given.at,
    )
    for picture in [*found, contact_sheet(found, given.folder)]:
        print(picture)
