"""Render workbooks as a person sees them: every sheet to PNG, through LibreOffice and PDF.

    python tests/render.py FOLDER BOOK.xlsx...

Needs soffice and pdftoppm (poppler-utils).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from sheetnet.recalc.libreoffice import convert


def render(book: Path, folder: Path, *, pages: int = 6, dpi: int = 90) -> list[Path]:
    """Write the first pages of a workbook as PNG files into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as private:
        pdf = convert(book, Path(private), "pdf")
        command = ["pdftoppm", "-png", "-r", str(dpi), "-l", str(pages)]
        subprocess.run([*command, str(pdf), str(folder / book.stem)], check=True)
    return sorted(folder.glob(f"{book.stem}-*.png"))


if __name__ == "__main__":
    for name in sys.argv[2:]:
        for picture in render(Path(name), Path(sys.argv[1])):
            print(picture)
