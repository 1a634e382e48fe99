"""How closely sheet and Python agree, feature by feature: a table in Markdown.

    python tests/benchmarks/agreement.py [--libreoffice]

For each feature and engine: the largest difference of a cell from what NumPy makes of the
inputs in its row (local), and from a training in Python (trajectory), both over the largest
magnitude of its column, and how many cells are identical to the last bit. Nothing is
asserted.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sheetnet
from sheetnet.concepts.activations import ACTIVATIONS
from sheetnet.concepts.losses import LOSSES
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.concepts.scaling import SCALINGS
from sheetnet.spec import Spec, parse_spec
from sheetnet.verification import Report

EXAMPLES = Path(__file__).parents[2] / "examples"

Options = dict[str, Any]

LENGTHS = ["sepal_length_cm", "sepal_width_cm", "petal_length_cm"]
WIDTH: Options = {"source": "iris.csv", "inputs": LENGTHS, "target": "petal_width_cm"}
SPECIES: Options = {"source": "iris.csv", "target": "species"}
MOONS: Options = {"source": "toy:moons", "rows": 150}

BY_TARGETS: dict[str, Options] = {
    "any": {"data": WIDTH},
    "unit": {"data": MOONS, "last": "sigmoid"},
    "shares": {"data": SPECIES, "last": "softmax"},
}
"""What suits a loss, by the targets that it asks for."""

BATCHES = {"batch_size": 32}
VALIDATION = {"more": {"validation": 0.2}}
STOPPING = {**VALIDATION, "patience": 1, "min_delta": 0.01}
DROPOUT = {"layer": {"dropout": 0.3}}
CLIPS = {"clip": 0.05, "clip_norm": 0.1}


def run(
    *,
    data: Options = WIDTH,
    more: Options | None = None,
    hidden: str = "tanh",
    layer: Options | None = None,
    last: str = "linear",
    **training: Any,
) -> Spec:
    """150 rows, 4 hidden units, 5 epochs; ``more`` adds to the data, ``layer`` to those units."""
    document = {
        "data": {"scale": "standard", **data, **(more or {})},
        "layers": [{"units": 4, "activation": hidden, **(layer or {})}, {"activation": last}],
        "training": {
            "epochs": 5,
            "learning_rate": 0.02,
            "seed": 1,
            "initializer": "glorot",
            **training,
        },
    }
    return parse_spec(document, name="agreement", folder=EXAMPLES)


def features() -> Iterator[tuple[str, Spec]]:
    """Name and run of each."""
    yield "plain SGD", run()
    yield "batches of 32 (the last of 22)", run(**BATCHES)
    yield "full batch", run(batch_size=150)
    yield "shuffling", run(shuffle=True)
    yield "validation", run(**VALIDATION)
    yield "early stopping", run(**STOPPING, epochs=8)
    yield "dropout", run(**DROPOUT)
    yield "clip", run(clip=CLIPS["clip"])
    yield "clip_norm", run(clip_norm=CLIPS["clip_norm"])
    for name in OPTIMIZERS:
        yield f"optimizer {name}", run(optimizer=name)
    for name, activation in ACTIVATIONS.items():
        if not activation.last_only:
            yield f"hidden {name}", run(hidden=name)
    for name, loss in LOSSES.items():
        yield f"loss {name}", run(**BY_TARGETS[loss.targets], loss=name)
    for name in SCALINGS:
        yield f"scaling {name}", run(more={"scale": name, "target_scale": name})
    yield "softmax with mse", run(**BY_TARGETS["shares"], loss="mse")
    together = {**BATCHES, **STOPPING, **DROPOUT, **CLIPS, "shuffle": True, "epochs": 8}
    yield "everything at once", run(**BY_TARGETS["shares"], **together, optimizer="adam")


def shown(report: Report) -> list[str]:
    """The columns of one engine."""
    local, way = report.checks["local"], report.checks["trajectory"]
    identical = f"{way.identical:,} / {way.cells:,}"
    if not report.agree:
        identical += " (disagree)"
    return [
        *(f"{check.max_rel:.1e}" if check.max_rel else "0" for check in (local, way)),
        identical,
    ]


def main(engines: list[str]) -> None:
    """Print the table, row by row as it is found."""
    head = ["feature"]
    for engine in engines:
        head += [f"{engine}: local", "trajectory", "cells identical"]
    print("| " + " | ".join(head) + " |")
    print("| --- |" + " ---: |" * (len(head) - 1))
    for name, spec in features():
        with tempfile.TemporaryDirectory() as folder:
            book = Path(folder) / "book.xlsx"
            done = sheetnet.export(spec, book)
            found = [text for e in engines for text in shown(sheetnet.verify(book, e))]
        at = "" if done.stopped_after is None else f", after epoch {done.stopped_after}"
        print("| " + " | ".join([name + at, *found]) + " |", flush=True)


if __name__ == "__main__":
    main(["ironcalc", *(["libreoffice"] if "--libreoffice" in sys.argv[1:] else [])])
