"""Scripts that repeat a training on their own, in NumPy or PyTorch.

What a script says of activations, losses, optimizers, clipping, dropout, scaling and
stopping is the ``code`` (or ``torch``) of their records; here stands only how such
pieces are put together: names, loops, the sums of the network. So a new record brings
its code along, and tests hold every record's code against its NumPy form.

The NumPy script does the engine's operations in the engine's order and gives the same
bits; it makes one row at a time, so its arrays are a sample's, a unit or a weight each.
The engine turns an overflow into nan at once, the script where it could vanish, which
comes to the same: a quantity is finite in both or in neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sheetnet.codegen.data import csv_text, fits_inline
from sheetnet.codegen.numpy_script import numpy_script
from sheetnet.codegen.torch_script import torch_script
from sheetnet.errors import OutputError, SheetnetError, nearest
from sheetnet.output import check_target, write_texts
from sheetnet.problem import Problem

FRAMEWORKS: Mapping[str, Callable[[Problem, str | None, Sequence[str]], str]] = {
    "numpy": numpy_script,
    "torch": torch_script,
}
"""Name -> what writes the script, from a problem, the name of its CSV file, and remarks."""

__all__ = ["FRAMEWORKS", "script", "write_script"]


def script(
    problem: Problem,
    framework: str = "numpy",
    data_file: str | None = None,
    remarks: Sequence[str] = (),
) -> str:
    """Return the source of a script; it reads its rows from ``data_file`` beside it.

    ``data_file`` None: the rows stand in the script. ``remarks`` are lines of comment at
    its head. Raises :class:`OutputError` where
    they are too many for that, see :func:`fits_inline`.
    """
    if framework not in FRAMEWORKS:
        raise SheetnetError(
            f"there is no framework {framework!r}{nearest(framework, FRAMEWORKS)}; "
            f"allowed: {', '.join(FRAMEWORKS)}"
        )
    if data_file is None and not fits_inline(problem.table):
        raise OutputError(
            f"{problem.table.rows} rows of data are too many to stand in the script: name its "
            "file (-o train.py), and they are written beside it"
        )
    return FRAMEWORKS[framework](problem, data_file, remarks)


def write_script(
    problem: Problem,
    path: Path,
    framework: str = "numpy",
    *,
    overwrite: bool,
    remarks: Sequence[str] = (),
) -> tuple[str, Path | None]:
    """Write a script, and its rows beside it where they are many: both or none.

    Returns the source, and the CSV file that it reads (None: it holds its rows itself).
    """
    data_file = None
    if not fits_inline(problem.table):
        data_file = path.with_name(f"{path.stem}_data.csv")
    for target in (path, data_file):
        if target is not None:
            check_target(target, overwrite=overwrite, read=problem.spec.files)
    name = None if data_file is None else data_file.name
    text = script(problem, framework, name, remarks)
    texts = {} if data_file is None else {data_file: csv_text(problem)}
    write_texts({**texts, path: text}, overwrite=overwrite)
    return text, data_file
