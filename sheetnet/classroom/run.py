"""``grade`` from paths to a report."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from sheetnet.classroom.hand_in import reference_of
from sheetnet.classroom.pool import TIMEOUT, grade_all
from sheetnet.classroom.report import Grading
from sheetnet.errors import SheetnetError
from sheetnet.progress import Progress

_LOCKS = ("~$", ".")
"""How files of applications begin that have a workbook open, and hidden ones."""


def grade(
    paths: Iterable[str | Path],
    *,
    exercise: str | Path | None = None,
    spec: str | Path | None = None,
    jobs: int | None = None,
    timeout: float = TIMEOUT,
    progress: Progress | None = None,
) -> Grading:
    """Grade hand-ins; see the package's docstring."""
    if exercise is not None and spec is not None:
        raise SheetnetError("the exercise that was handed out or its spec: one of them only")
    known = None if exercise is None else str(exercise), None if spec is None else str(spec)
    reference_of(*known)  # told at once where it cannot be read
    found = list(dict.fromkeys(_files(paths, exercise)))
    if not found:
        raise SheetnetError("there is no .xlsx file to grade")
    return Grading(grade_all(found, *known, jobs=jobs, timeout=timeout, progress=progress))


def _files(paths: Iterable[str | Path], exercise: str | Path | None) -> Iterator[str]:
    """The files, and all .xlsx files below folders but the exercise that was handed out."""
    for given in paths:
        path = Path(given)
        if not path.is_dir():
            yield str(path)
            continue
        for each in _below(path):
            if exercise is None or not _same(each, Path(exercise)):
                yield str(each)


def _below(folder: Path) -> list[Path]:
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[:1] != "." and name != "__MACOSX")
        for name in sorted(names):
            if name.lower().endswith(".xlsx") and not name.startswith(_LOCKS):
                found.append(Path(place) / name)
    return found


def _same(a: Path, b: Path) -> bool:
    return a.exists() and b.exists() and a.samefile(b)
