"""The cross validation itself: all trainings, side by side, by joblib.

Each candidate and fold is one task, which depends on nothing but its arguments; so
results are the same for any number of workers, wherever they are.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from typing import Any

import joblib

from sheetnet import values
from sheetnet.data import Table, load_rows
from sheetnet.errors import BackendError, SheetnetError, SpecError
from sheetnet.network import Network
from sheetnet.owned import end_with
from sheetnet.progress import Progress, untold
from sheetnet.spec import Spec
from sheetnet.tuning.candidates import candidates
from sheetnet.tuning.folds import Rows, Score, cut, fold_problem, score
from sheetnet.tuning.report import Tuning
from sheetnet.tuning.result import Result, ranked


def cross_validate(
    spec: Spec,
    axes: Mapping[str, Sequence[Any] | None],
    *,
    folds: int = 5,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Tuning:
    """Train every candidate once for each fold and rank them; see ``sheetnet.tune``."""
    _check_jobs(jobs)
    specs = candidates(spec, axes)
    table = load_rows(spec)
    parts = cut(table.rows, folds, spec.training.seed)
    networks = _check_all(specs, table, parts)
    found = _train_all(specs, table, parts, jobs, progress or untold)
    results = [
        Result(
            each,
            network.label,
            sum(layer.units * (layer.inputs + 1) for layer in network.layers),
            tuple(found[c, f] for f in range(len(parts))),
        )
        for c, (each, network) in enumerate(zip(specs, networks, strict=True))
    ]
    return Tuning(
        spec=spec,
        axes=tuple(name for name in axes if axes[name] is not None),
        loss=networks[0].loss.name,
        measure=networks[0].measure.name,
        rows=table.rows,
        folds=tuple(tuple(table.source_row(int(row)) for row in part) for part in parts),
        results=ranked(results),
    )


def _check_jobs(jobs: int | None) -> None:
    whole = isinstance(jobs, int) and not isinstance(jobs, bool)
    if jobs is not None and (not whole or (jobs < 1 and jobs != -1)):
        raise SpecError(
            f"jobs is {values.shown(jobs)}: a whole number from 1, or -1 (all cores), is needed"
        )


def _check_all(
    specs: tuple[Spec, ...], table: Table, parts: tuple[Rows, ...]
) -> tuple[Network, ...]:
    """Put every candidate and every fold together once, so that all errors come at once."""
    for f, part in enumerate(parts, 1):
        try:
            fold_problem(specs[0], table, part)
        except SheetnetError as error:
            raise type(error)(f"fold {f} of {len(parts)}: {error}") from None
    return tuple(fold_problem(each, table, parts[0]).network for each in specs)


def _train_all(
    specs: tuple[Spec, ...],
    table: Table,
    parts: tuple[Rows, ...],
    jobs: int | None,
    progress: Progress,
) -> dict[tuple[int, int], Score]:
    """Return (candidate, fold), both from 0, -> score."""
    places = [(c, f) for c in range(len(specs)) for f in range(len(parts))]
    found: dict[tuple[int, int], Score] = {}
    progress(0, len(places))
    outcomes = _in_parallel(
        jobs, (joblib.delayed(_one)(c, f, specs[c], table, parts[f]) for c, f in places)
    )
    try:
        for c, f, outcome in outcomes:
            found[c, f] = outcome
            progress(len(found), len(places))
    except BrokenExecutor:
        raise BackendError(
            "a worker process ended before its training was done (is there too little memory?): "
            "use fewer jobs"
        ) from None
    finally:
        if hasattr(outcomes, "close"):
            outcomes.close()
    return found


def _in_parallel(jobs: int | None, tasks: Iterable[Any]) -> Any:
    """Run the tasks on joblib's backend in force; yields what is done first, first."""
    # Processes of this machine's would wait five minutes for one that was killed.
    given = {"n_jobs": jobs, "initializer": end_with, "initargs": (os.getpid(),)}
    try:
        pool = joblib.Parallel(**given, return_as="generator_unordered")
    except ValueError:  # a backend (Ray's) that gives all results at the end only
        pool = joblib.Parallel(**given)
    with _interrupts_left_to_us():
        return pool(tasks)


@contextlib.contextmanager
def _interrupts_left_to_us() -> Iterator[None]:
    """Start processes that ignore Ctrl-C: else each would print where it was.

    A signal that is ignored stays so in a new process; this one stops the workers when
    it is interrupted itself.
    """
    ours = signal.getsignal(signal.SIGINT)
    main = threading.current_thread() is threading.main_thread()
    if not main or not callable(ours):
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, ours)


def _one(c: int, f: int, spec: Spec, table: Table, held_out: Rows) -> tuple[int, int, Score]:
    return c, f, score(spec, table, held_out)
