"""What a class needs, as it is called from Python: exercises, and their grading."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sheetnet.classroom.report import Grading
    from sheetnet.classroom.write import Written
    from sheetnet.progress import Progress
    from sheetnet.spec import Spec


def exercise(
    spec: Spec,
    path: str | Path,
    *,
    blank: str = "gradients,updates",
    visits: str | None = None,
    digits: int = 4,
    overwrite: bool = True,
) -> Written:
    """Write a workbook with blank cells to be filled in, and a check beside each.

    ``blank`` names groups (``forward``, ``deltas`` …), quantities (``dW1``) or columns
    (``dW1[2,1]``), ``visits`` those that are asked (``1:3,7``; None: the first three),
    ``digits`` the significant ones that count. Raises :class:`SheetnetError` for what is
    not there.
    """
    from sheetnet.classroom.write import write_exercise
    from sheetnet.problem import load_problem

    problem = load_problem(spec)
    return write_exercise(
        problem, Path(path), blank=blank, visits=visits, digits=digits, overwrite=overwrite
    )


def grade(
    paths: Sequence[str | Path],
    *,
    exercise: str | Path | None = None,
    spec: str | Path | None = None,
    jobs: int | None = None,
    timeout: float = 60,
    progress: Progress | None = None,
) -> Grading:
    """Recalculate hand-ins (files, or folders of them) and judge each cell that was asked.

    ``exercise`` is the workbook that was handed out or ``spec`` its spec; without either
    the right numbers are those of each hand-in's own inputs. ``jobs`` run side by side
    (None: one for each core), each file for ``timeout`` seconds at most. ``grading.files``
    have ``counts`` (``right``, ``wrong``, ``missing``, ``hard_coded``), or the ``problem``
    of a file that could not be graded. Raises :class:`SheetnetError` where there is
    nothing to grade or the reference cannot be read.
    """
    from sheetnet.classroom.run import grade

    return grade(paths, exercise=exercise, spec=spec, jobs=jobs, timeout=timeout, progress=progress)
