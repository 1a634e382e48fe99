"""A finished cross validation: as a table, as JSON, and its winner as a spec."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sheetnet.concepts.stopping import PATIENCE
from sheetnet.errors import SpecError
from sheetnet.output import check_target, write_text
from sheetnet.spec import Spec
from sheetnet.spec_writer import source_from, spec_document, spec_text
from sheetnet.tuning.result import Result

NONE = "-"
ALWAYS = ("layers", "units", "learning_rate")
"""What a table shows of each candidate, varied or not."""


@dataclass(frozen=True)
class Tuning:
    """A finished cross validation.

    Attributes
    ----------
    spec: the spec it started from.
    axes: names of what was varied.
    loss, measure: names of what was computed of the held-out rows.
    rows: how many rows of data there are.
    folds: for each the numbers (from 1) of the rows of data that it held out.
    results: all candidates, the best first.

    """

    spec: Spec
    axes: tuple[str, ...]
    loss: str
    measure: str
    rows: int
    folds: tuple[tuple[int, ...], ...]
    results: tuple[Result, ...]

    @property
    def best(self) -> Result | None:
        """The candidate of rank 1; None where all of them diverge."""
        first = self.results[0]
        return None if first.diverges else first

    @property
    def stops(self) -> bool:
        """Whether the best epoch counts (early stopping), not the last one."""
        return PATIENCE.name in self.spec.training.hyperparameters

    def to_text(self) -> str:
        """The ranking as a table."""
        return _text(self)

    def to_json(self) -> str:
        """All of it as one JSON object, at full precision; null for what diverged."""
        return json.dumps(_plain(self), indent=2, allow_nan=False)

    def write(self, path: str | Path, *, overwrite: bool = True) -> None:
        """Write the best candidate as a commented spec, all of it or nothing.

        Its ``data.source`` is the same file, as seen from there. Raises
        :class:`OutputError` where it cannot be written, :class:`SpecError` where all
        candidates diverge.
        """
        path = Path(path)
        check_winner_target(self.spec, path, overwrite=overwrite)
        if self.best is None:
            raise SpecError("all candidates diverge: there is no winner to write")
        source = source_from(self.spec, path.parent)
        data = dataclasses.replace(self.best.spec.data, source=source)
        there = dataclasses.replace(self.best.spec, data=data)
        write_text(path, spec_text(there, heading=_heading(self, self.best)), overwrite=overwrite)


def check_winner_target(spec: Spec, path: Path, *, overwrite: bool) -> None:
    """Raise :class:`OutputError` where no winner of this spec can be written."""
    check_target(path, overwrite=overwrite, read=spec.files)
    source_from(spec, path.parent)


def _heading(tuning: Tuning, best: Result) -> tuple[str, ...]:
    return (
        f"{tuning.spec.name}: the best of {_count(len(tuning.results), 'candidate')} by cross "
        f"validation on {len(tuning.folds)} folds.",
        f"Validation loss {_digits(best.validation_loss, 6)} ± {_digits(best.deviation, 3)} "
        f"(sample deviation over the folds), {tuning.measure} {_digits(best.measure, 4)}.",
    )


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _alike(values: Iterable[object], between: str) -> str:
    """One value where all are the same, else all of them."""
    texts = [str(value) for value in values]
    return between.join(texts if len(set(texts)) > 1 else texts[:1]) or NONE


_SHOWN: dict[str, Callable[[Spec], str]] = {
    "layers": lambda s: str(len(s.layers) - 1),
    "units": lambda s: _alike((layer.units for layer in s.layers[:-1]), "-"),
    "activation": lambda s: _alike((layer.activation for layer in s.layers[:-1]), "-"),
    "dropout": lambda s: _alike((layer.dropout or 0 for layer in s.layers[:-1]), "-"),
    "optimizer": lambda s: s.training.optimizer,
    "batch_size": lambda s: str(s.training.batch_size),
    "learning_rate": lambda s: f"{s.training.learning_rate:g}",
}


def _text(tuning: Tuning) -> str:
    shown = [name for name in _SHOWN if name in ALWAYS or name in tuning.axes]
    numbers = ["validation loss", "± deviation", tuning.measure, "training loss"]
    heading = ["rank", *shown, "parameters", *numbers]
    lines = [
        [
            str(rank),
            *(_SHOWN[name](result.spec) for name in shown),
            str(result.parameters),
            *_numbers(result),
        ]
        for rank, result in enumerate(tuning.results, 1)
    ]
    widths = [max(len(line[k]) for line in (heading, *lines)) for k in range(len(heading))]
    table = [
        "  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (heading, *lines)
    ]
    return "\n".join([_headline(tuning), *table, _footnote(tuning)])


def _numbers(result: Result) -> list[str]:
    if result.diverges:
        failed = f"diverges in {result.diverged_folds} of {len(result.scores)} folds"
        return [failed, NONE, NONE, NONE]
    return [
        _digits(result.validation_loss, 6),
        f"± {_digits(result.deviation, 3)}",
        _digits(result.measure, 4),
        _digits(result.train_loss, 6),
    ]


def _digits(value: float, digits: int) -> str:
    return f"{value:#.{digits}g}".removesuffix(".") if math.isfinite(value) else NONE


def _headline(tuning: Tuning) -> str:
    sizes = [len(fold) for fold in tuning.folds]
    held_out = f"{min(sizes)}" if min(sizes) == max(sizes) else f"{min(sizes)} or {max(sizes)}"
    return (
        f"{_count(len(tuning.results), 'candidate')}, {len(sizes)} folds: trained on all of "
        f"{tuning.rows} rows but {held_out} held out; loss {tuning.loss}"
    )


def _footnote(tuning: Tuning) -> str:
    epoch = "best epoch (early stopping)" if tuning.stops else "last epoch"
    return f"means over the folds, ± their sample deviation; of the {epoch} of each training"


def _plain(tuning: Tuning) -> dict[str, Any]:
    return {
        "spec": tuning.spec.name,
        "rows": tuning.rows,
        "seed": tuning.spec.training.seed,
        "loss": tuning.loss,
        "measure": tuning.measure,
        "epoch": "best" if tuning.stops else "last",
        "deviation": "sample",
        "held_out": [list(fold) for fold in tuning.folds],
        "candidates": [
            _plain_result(rank, result, tuning.measure)
            for rank, result in enumerate(tuning.results, 1)
        ],
        "winner": None if tuning.best is None else spec_document(tuning.best.spec),
    }


def _plain_result(rank: int, result: Result, measure: str) -> dict[str, Any]:
    hidden, training = result.spec.layers[:-1], result.spec.training
    return {
        "rank": rank,
        "layers": len(hidden),
        "units": list(result.hidden),
        "activation": [layer.activation for layer in hidden],
        "dropout": [layer.dropout or 0.0 for layer in hidden],
        "optimizer": training.optimizer,
        "batch_size": training.batch_size,
        "learning_rate": training.learning_rate,
        "network": result.network,
        "parameters": result.parameters,
        "validation_loss": _or_none(result.validation_loss),
        "deviation": _or_none(result.deviation),
        measure: _or_none(result.measure),
        "training_loss": _or_none(result.train_loss),
        "diverged_folds": result.diverged_folds,
        "folds": [
            {
                "epoch": score.epoch,
                "validation_loss": _or_none(score.validation_loss),
                measure: _or_none(score.measure),
                "training_loss": _or_none(score.train_loss),
            }
            for score in result.scores
        ],
    }


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
