"""Windows: the true state of a training at a visit, without its ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.engine import first_state, first_stop, first_weights, steps
from sheetnet.epoch_ledgers import ledgers_of
from sheetnet.errors import SpecError
from sheetnet.problem import Problem
from sheetnet.progress import Progress, untold
from sheetnet.rules import rules_of
from sheetnet.window import Window


def outlined(problem: Problem, first: int | None, visits: int | None) -> Problem:
    """The problem of ``visits`` visits from ``first`` (from 1) on, its state not yet known.

    None: from the first visit, or to the last one. Raises :class:`SpecError` where there
    are no such visits.
    """
    first = 1 if first is None else first
    if not 1 <= first <= problem.visits:
        raise SpecError(f"from_visit is {first}: the run has visits 1 to {problem.visits}")
    rest = problem.visits - first + 1
    visits = rest if visits is None else visits
    if not 1 <= visits <= rest:
        raise SpecError(
            f"visits is {visits}: from visit {first} on there are 1 to {rest} "
            f"(the run has {problem.visits})"
        )
    return replace(problem, window=Window(first, visits, {}))


def at_start(problem: Problem, progress: Progress = untold) -> Problem:
    """The same with the state that the window's first visit finds.

    It trains up to there (with early stopping to the window's end) and keeps a block of
    rows at a time; ``progress`` is told of these visits. Raises :class:`SpecError` where no
    numbers are left.
    """
    window = problem.window
    assert window is not None
    whole = replace(problem, window=None)
    state, stopped_after = _state_before(whole, window.first, window.last, progress)
    if not all(np.isfinite(value).all() for value in state.values()):
        raise SpecError(
            f"the run diverges before visit {window.first}: no numbers are left to start from; "
            "choose an earlier from_visit"
        )
    names = list(first_weights(problem))
    carried = {name: value for name, value in state.items() if name not in names}
    return replace(
        problem,
        weights=tuple(state[name] for name in names if name.startswith("W")),
        biases=tuple(state[name] for name in names if name.startswith("b")),
        window=replace(window, carried=carried, stopped_after=stopped_after),
    )


def _state_before(
    problem: Problem, first: int, last: int, progress: Progress
) -> tuple[Mapping[str, Array], int | None]:
    """What visit ``first`` finds, and after which epoch training has ended by ``last``."""
    network, ledgers = problem.network, ledgers_of(problem.network)
    state: Mapping[str, Array] = first_state(
        problem, ledgers.train, rules_of(network, problem.hyperparameters)
    )
    stopped_after: int | None = None
    visits = epochs = 0
    needed = last if network.stops else first - 1
    for part, after in steps(problem, ledgers, needed, first - 1):
        visits += len(part.train)
        progress(visits, needed)
        if visits <= first - 1:
            state = after
        if network.stops and stopped_after is None and len(part.epochs):
            found = first_stop(ledgers.epochs, part.epochs)
            stopped_after = None if found is None else epochs + found
        epochs += len(part.epochs)
    return state, stopped_after
