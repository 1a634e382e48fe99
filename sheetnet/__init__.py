"""Train a network in NumPy, open the same training in a spreadsheet, prove that both agree.

>>> import sheetnet
>>> spec = sheetnet.load_spec("xor.toml")
>>> run = sheetnet.train(spec)            # run["W1"]: (visits, units, inputs)
>>> sheetnet.export(spec, "xor.xlsx")
>>> report = sheetnet.verify("xor.xlsx")  # report.agree, report.checks
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sheetnet.errors import SheetnetError

if TYPE_CHECKING:
    from sheetnet.engine import Run
    from sheetnet.spec import Spec
    from sheetnet.verification import Report
    from sheetnet.workbook.export import Exported

__version__ = "0.1.0"
__all__ = ["SheetnetError", "export", "load_spec", "train", "verify"]

# Heavy modules (numpy, openpyxl, engines) are imported when they are needed, so that
# the command line starts at once.


def load_spec(path: str | Path) -> Spec:
    """Read and check a TOML spec.

    Raises :class:`SheetnetError` with one line that names the key.
    """
    from sheetnet.spec import load_spec

    return load_spec(path)


def train(spec: Spec) -> Run:
    """Train in NumPy and keep the whole ledger.

    ``run["W1"]`` has shape (visits, units, inputs), ``run["loss"]`` (visits,); any name
    of the ledger works. ``run.final`` maps names to the weights after the last visit.
    Raises :class:`SheetnetError` where data and spec do not fit.
    """
    from sheetnet import engine
    from sheetnet.problem import load_problem

    return engine.train(load_problem(spec))


def export(spec: Spec, path: str | Path, *, overwrite: bool = True) -> Exported:
    """Train and write the live workbook; all of it or nothing.

    Raises :class:`SheetnetError` where it does not fit on a sheet or cannot be written.
    """
    from sheetnet.problem import load_problem
    from sheetnet.workbook.export import export

    return export(load_problem(spec), Path(path), overwrite=overwrite)


def verify(
    path: str | Path,
    engine: str = "ironcalc",
    *,
    rtol: float | None = None,
    atol: float | None = None,
) -> Report:
    """Recalculate a workbook with an engine and compare it with Python.

    ``engine``: ``ironcalc``, ``libreoffice`` or ``saved``. The report's ``agree`` says
    whether all of its ``checks`` are fine. Raises :class:`SheetnetError` where the file
    is not a workbook that sheetnet wrote, or the engine is missing.
    """
    from sheetnet.verification import verify

    return verify(path, engine, rtol=rtol, atol=atol)
