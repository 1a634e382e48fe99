"""Train a network in NumPy, open the same training in a spreadsheet, prove that both agree.

>>> import sheetnet
>>> spec = sheetnet.load_spec("xor.toml")
>>> run = sheetnet.train(spec)            # run["W1"]: (visits, units, inputs)
>>> sheetnet.export(spec, "xor.xlsx")
>>> report = sheetnet.verify("xor.xlsx")  # report.agree, report.checks
>>> tuning = sheetnet.tune(spec, units=(2, 4))  # tuning.best.spec, tuning.results
>>> print(sheetnet.code(spec))            # the same training as a script in NumPy
>>> sheetnet.lint("any.xlsx").findings  # cells that look wrong beside their neighbours
>>> sheetnet.diff("a.xlsx", "b.xlsx").to_text()  # which inputs differ, where trainings part
>>> sheetnet.exercise(spec, "sheet.xlsx", blank="gradients", visits="1:3")
>>> sheetnet.grade(["ann.xlsx", "bob.xlsx"]).to_csv()
>>> book = sheetnet.load_book("edited.xlsx")  # a workbook is a spec: book.changes, book.problem
>>> run = sheetnet.train(book)            # and so for export and code
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sheetnet.errors import SheetnetError
from sheetnet.teaching import exercise, grade

if TYPE_CHECKING:
    from sheetnet.comparing import Comparison
    from sheetnet.editing import EditedBook
    from sheetnet.linting import Report as LintReport
    from sheetnet.progress import Progress
    from sheetnet.run import Run
    from sheetnet.spec import Spec
    from sheetnet.tuning.report import Tuning
    from sheetnet.verification import Report
    from sheetnet.workbook.export import Exported

__version__ = "0.1.0"
__all__ = [
    "SheetnetError",
    "code",
    "diff",
    "exercise",
    "export",
    "grade",
    "lint",
    "load_book",
    "load_spec",
    "new",
    "train",
    "tune",
    "verify",
]

# Where lxml is installed openpyxl would write other bytes, and raise errors of lxml's own.
os.environ.setdefault("OPENPYXL_LXML", "False")

# Heavy modules (numpy, openpyxl, engines) are imported when they are needed, so that
# the command line starts at once.


def load_spec(path: str | Path) -> Spec:
    """Read and check a TOML spec.

    Raises :class:`SheetnetError` with one line that names the key.
    """
    from sheetnet.spec import load_spec

    return load_spec(path)


def load_book(path: str | Path, engine: str = "ironcalc") -> EditedBook:
    """Read a workbook that sheetnet wrote, edited or not, as a spec that holds its rows.

    What stands on ``Config``, ``Data`` and ``Init`` now counts: rows may have been added
    or deleted, and what is fixed at export changed. ``book.changes`` are the inputs that
    differ from those at export, ``book.notes`` what else was found, ``book.problem`` the
    run, and ``book.override(epochs=5)`` the same with other values. ``engine`` calculates
    formulas in input cells. Raises :class:`SheetnetError` that names the cell.
    """
    from sheetnet.editing import load_book

    return load_book(path, engine)


def new(
    path: str | Path,
    *,
    data: str | Path | None = None,
    sheet: str | None = None,
    target: str | Sequence[str] = (),
    inputs: Sequence[str] = (),
    scale: str | None = None,
    model: Any = None,
    activation: str | Sequence[str] = (),
    last_activation: str | None = None,
    classes: Sequence[str] = (),
    overwrite: bool = True,
) -> Spec:
    """Write a commented spec to start from, and return it as it reads.

    Without ``data`` it is a toy problem; with ``data`` (.csv or .xlsx) and ``target`` (a
    column, or several) it is fitted to the table: ``inputs`` are by default all columns
    of numbers but the targets.

    ``model`` is a fitted estimator of scikit-learn, or a pipeline of scalers with one at
    its end, or the state_dict of a stack of linear layers (name -> array or tensor): the
    spec then starts from its weights. A state_dict does not hold the ``activation`` of
    its hidden layers (one, or one for each), nor the ``last_activation`` (default: by the
    target). ``classes`` are the classes as the target calls them, in the order of the
    model's outputs; by default the model's own, of a state_dict in sorted order.

    Raises :class:`SheetnetError` where data or model do not fit; nothing is written then.
    """
    from sheetnet.starting import models
    from sheetnet.starting.fitted import Source
    from sheetnet.starting.new import write_new

    source = None
    if data is not None:
        columns = ((target,) if isinstance(target, str) else tuple(target), tuple(inputs))
        source = Source(Path(data), sheet, *columns, scale)
    each = (activation,) if isinstance(activation, str) else tuple(activation)
    unsaid = models.Unsaid(each, last_activation, tuple(classes))
    made = None if model is None else models.model_of(model, unsaid)
    return write_new(Path(path), source, made, overwrite=overwrite)


def train(spec: Spec | EditedBook, *, progress: Progress | None = None) -> Run:
    """Train a spec, or a workbook that was read as one, in NumPy and keep the whole ledger.

    ``run["W1"]`` has shape (visits, units, inputs), ``run["loss"]`` (visits,); any name
    of the ledger works. ``run.by_epoch("val_loss")`` has shape (epochs,). ``run.final``
    maps names to the weights after the last visit, ``run.best`` to those of the epoch with
    the lowest validation loss. ``progress`` is called with visits done, and in all.
    Raises :class:`SheetnetError` where data and spec do not fit.
    """
    from sheetnet import run
    from sheetnet.origin import problem_of

    return run.train(problem_of(spec), progress)


def export(
    spec: Spec | EditedBook,
    path: str | Path,
    *,
    overwrite: bool = True,
    sheets: Sequence[str] | None = None,
    from_visit: int | None = None,
    visits: int | None = None,
    columns: str | None = None,
    notice: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> Exported:
    """Train and write the live workbook; all of it or nothing.

    ``sheets`` names those to be written (None: all that apply and fit, of a workbook those
    that it has); ``Config``, ``Data``, ``Init`` and ``Train`` always are, and so is what
    training depends on. ``from_visit`` and ``visits`` choose a window of the training
    (None: from the first visit, to the last); it starts from the true state there, which
    stands on ``Init``. ``columns``: ``all``, or ``compact`` without those that follow at
    once from others (a row's gradients, batch means): their formulas are worked into the
    updates (None: all, of a workbook as it has). ``notice`` is told, before the training,
    how large a large workbook will be; ``progress`` with cells done, and in all.
    Raises :class:`SheetnetError` where it does not fit on a sheet or cannot be written.
    """
    from sheetnet.origin import problem_of
    from sheetnet.progress import untold
    from sheetnet.spec import Spec
    from sheetnet.workbook.export import export

    if sheets is None and not isinstance(spec, Spec):
        sheets = spec.sheets
    if columns is None:
        columns = "all" if isinstance(spec, Spec) else spec.columns
    whole = from_visit is None and visits is None
    return export(
        problem_of(spec),
        Path(path),
        overwrite=overwrite,
        sheets=sheets,
        window=None if whole else (from_visit, visits),
        columns=columns,
        notice=notice,
        progress=progress or untold,
    )


def code(
    spec: Spec | EditedBook,
    framework: str = "numpy",
    *,
    path: str | Path | None = None,
    overwrite: bool = True,
) -> str:
    """Return the source of a standalone script that repeats the training.

    Of a workbook its head says what differs from the export.

    ``framework``: ``numpy``, which gives the same numbers to the last bit, or ``torch``,
    which agrees to about 1e-12. With ``path`` the script is written there, and where it
    has many rows of data, these beside it: ``train.py`` reads ``train_data.csv``. Raises
    :class:`SheetnetError` where that is needed, but no ``path`` is given.
    """
    from sheetnet import codegen
    from sheetnet.origin import problem_of, remarks_of

    problem, remarks = problem_of(spec), remarks_of(spec)
    if path is None:
        return codegen.script(problem, framework, remarks=remarks)
    written = codegen.write_script(
        problem, Path(path), framework, overwrite=overwrite, remarks=remarks
    )
    return written[0]


def verify(
    path: str | Path,
    engine: str = "ironcalc",
    *,
    rtol: float | None = None,
    atol: float | None = None,
    perturb: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Recalculate a workbook with an engine and compare it with Python.

    ``engine``: ``ironcalc``, ``libreoffice`` or ``saved``. The report's ``agree`` says
    whether all of its ``checks`` are fine. ``perturb`` adds the check ``liveness``: in a
    copy all inputs are changed (the file itself is never touched), it is recalculated,
    Python trains anew, and every cell must have followed; ``changed`` and ``unchanged``
    say which inputs, and a ``first_failure`` has the input ``changed`` that it ignores.
    ``progress`` is called with steps done, and in all.
    Raises :class:`SheetnetError` where the file is not a workbook that sheetnet wrote, or
    the engine is missing, or ``perturb`` is asked of ``saved``, which calculates nothing.
    """
    from sheetnet.verification import verify

    return verify(path, engine, rtol=rtol, atol=atol, perturb=perturb, progress=progress)


def lint(path: str | Path, *, sheet: str | None = None) -> LintReport:
    """List the cells of any workbook that look wrong beside their neighbours.

    ``report.findings`` name sheet, cells, kind, what stands there and what the pattern
    would have; ``report.clean`` is true where there are none. Raises
    :class:`SheetnetError` where the file cannot be read or has no such ``sheet``.
    """
    from sheetnet.linting import lint

    return lint(path, sheet=sheet)


def diff(a: str | Path, b: str | Path, engine: str = "ironcalc") -> Comparison:
    """Compare two workbooks that sheetnet wrote, edited or not.

    ``comparison.inputs`` are those that differ, ``comparison.trainings`` where the two
    trainings that Python makes of them part and how far; ``comparison.equal`` is true
    where nothing differs. ``engine`` calculates formulas in input cells. Raises
    :class:`SheetnetError` where a file is not a workbook that sheetnet wrote.
    """
    from sheetnet.comparing import diff

    return diff(a, b, engine)


def tune(
    spec: Spec,
    *,
    layers: Sequence[int] | None = None,
    units: Sequence[int] | None = None,
    activation: Sequence[str] | None = None,
    dropout: Sequence[float] | None = None,
    optimizer: Sequence[str] | None = None,
    batch_size: Sequence[int] | None = None,
    learning_rate: Sequence[float] | None = None,
    folds: int = 5,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Tuning:
    """Rank candidates by cross validation: all combinations of the values given.

    ``layers`` counts hidden layers (0: a perceptron), each of that many ``units``; None
    leaves what the spec has. Another number of layers makes all of them copies of the
    spec's first (of tanh, where it has none), and weights that no longer fit are drawn.

    All rows are cut into ``folds`` parts, drawn from the spec's seed, that take the place
    of ``data.validation``: each part once is held out from a training on the others. The
    loss that counts is that of its last epoch or, where the spec has ``patience``, of its
    best one. Candidates are ranked by the mean over the folds, equals by fewer
    parameters; those that diverge come last. The deviation is the sample's (n − 1).

    ``jobs`` trainings run side by side (-1: one for each core) by joblib, on the backend
    of an enclosing ``joblib.parallel_config``, which may be a Dask or Ray cluster; None:
    as many as that says, or one. Results do not depend on it. ``progress`` is called with
    (trainings done, trainings in all).

    ``tuning.best.spec`` is the winner, ``tuning.write(path)`` writes it, and
    ``tuning.results`` holds for each candidate ``validation_loss``, ``deviation`` and the
    ``scores`` of its folds. Raises :class:`SheetnetError` where values or data do not fit.
    """
    from sheetnet.tuning.search import cross_validate

    axes = {
        "layers": layers,
        "units": units,
        "activation": activation,
        "dropout": dropout,
        "optimizer": optimizer,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
    }
    return cross_validate(spec, axes, folds=folds, jobs=jobs, progress=progress)
