"""Numbers at the edges of what a float holds: do the sheet and Python agree, or is it said why?

``python tests/number_cases.py`` exports and verifies each case with every last activation, its
losses, and optimizers, and prints a table: case, network, optimizer → all cells identical, the
largest difference, or the error; ``--case WORD``, ``--optimizer NAME`` choose. It ends with 1
where a workbook disagrees with Python or a run fails in another way than with one line.
``--libreoffice`` has LibreOffice recalculate a few of them instead, all in one start.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import math
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sheetnet
from sheetnet.concepts.activations import ACTIVATIONS
from sheetnet.concepts.losses import LOSSES
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.errors import SheetnetError
from sheetnet.spec import Spec, parse_spec
from sheetnet.verification import Report

FEW = ("Epochs",)
"""Sheets beside those that are always there."""

LARGEST, SMALLEST, SUBNORMAL = sys.float_info.max, sys.float_info.min, 5e-324

Texts = Sequence[Sequence[object]]
"""Rows of inputs, as a CSV file has them: numbers, or their digits."""

PLAIN: Texts = ((0.5, -1.0), (1.5, 0.25), (-2.0, 1.0), (0.75, 3.0))


@dataclass(frozen=True)
class Case:
    """Inputs, and what else of the spec is not as usual.

    ``targets`` (of mse and linear outputs only) are those of all rows, by default tame ones.
    ``weights`` fill each layer, by turns; None: drawn.
    """

    inputs: Texts = PLAIN
    targets: Sequence[object] | None = None
    weights: Sequence[float] | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    hidden: Sequence[Mapping[str, Any]] = ({"units": 2},)
    columns: str = "all"


def _rate(rate: float) -> Case:
    return Case(training={"learning_rate": rate})


def _scaled(*values: object, scale: str = "standard", beside: bool = True, **data: Any) -> Case:
    """One column of these values (and one of ordinary ones beside it), scaled."""
    rows = [[value, *([k * 0.5] if beside else [])] for k, value in enumerate(values)]
    return Case(rows, data={"scale": scale, **data})


CASES: dict[str, Case] = {
    "plain": Case(),
    "subnormal data": Case([[SUBNORMAL, -1e-310], [2e-308, 1e-320], [-SUBNORMAL, SMALLEST]]),
    "subnormal beside plain": Case([[SUBNORMAL, 1.0], [1.0, -1e-310], [-1e-320, 0.5]]),
    "tiny data": Case([[1e-300, -2e-300], [3e-290, 1e-307], [-1e-200, 4e-160]]),
    "large data": Case([[1e100, -2e99], [3e101, 1e98], [-1e100, 4e100]]),
    "huge data": Case([[1e300, -2e300], [3e290, 1e307], [-1e200, 4e160]]),
    "largest data": Case([[LARGEST, -LARGEST], [LARGEST, 1.0], [1.0, -LARGEST]]),
    "huge and tiny": Case([[1e300, -2e-300], [3e-290, 1e307], [-1e200, SUBNORMAL]]),
    "17 digits": Case(
        [["0.30000000000000004", "3.3333333333333335"], ["1234567890.1234567", "-0.1"],
         ["2.2250738585072011e-3", "9007199254740991.5"], ["1e22", "0.1000000000000000055511"]]
    ),
    "negative zero": Case([["-0.0", "-0"], ["0", "-0.0"], ["-0.0", "1"]]),
    "integers beyond 2^53": Case(
        [["9007199254740993", "18014398509481985"], ["-9007199254740993", "1"],
         ["123456789012345678901234567890", "2"]]
    ),
    "beyond the largest": Case([["1e309", 1.0], [1.0, 2.0]]),
    "nan": Case([["nan", 1.0], [1.0, 2.0]]),
    "huge targets": Case(targets=[1e300, -1e300, 1e154, 2.0]),
    "subnormal targets": Case(targets=[SUBNORMAL, -1e-310, 0.0, 1e-300]),
    "alike rows": Case([[0.1, 0.2]] * 5),
    "alike rows, scaled": Case([[0.1, 0.2]] * 5, data={"scale": "standard"}),
    "one row": Case([[0.5, -1.0]]),
    "one row, scaled": Case([[0.5, -1.0]], data={"scale": "minmax"}),
    "one row, validation": Case([[0.5, -1.0]], data={"validation": 0.5}),
    "two rows, validation": Case(PLAIN[:2], data={"validation": 0.5, "scale": "standard"}),
    "batch larger than rows": Case(training={"batch_size": 1000}),
    "batch of the largest count": Case(training={"batch_size": 10**9}),
    **{f"rate {rate!r}": _rate(rate) for rate in (
        0.0, SUBNORMAL, 1e-310, 1e-300, 1e-160, 1e-17, 1e17, 1e150, 1e300, LARGEST)},
    "no variance, standard": _scaled(7.1, 7.1, 7.1),
    "no variance, minmax": _scaled(7.1, 7.1, 7.1, scale="minmax"),
    "no variance, alone": _scaled(0.1, 0.1, 0.1, beside=False),
    "no variance of 0": _scaled(0, -0.0, 0),
    "no variance in training rows": _scaled(3.0, 3.0, 3.0, 4.0, validation=0.25),
    "no variance, huge": _scaled(1e308, 1e308, 1e308),
    "no variance, subnormal": _scaled(1e-310, 1e-310, 1e-310),
    "an ulp apart, standard": _scaled(1.0, 1.0 + 2**-52, 1.0),
    "an ulp apart, minmax": _scaled(1.0, 1.0 + 2**-52, 1.0, scale="minmax"),
    "an ulp apart at 1e15": _scaled(1e15, 1e15 + 0.125, 1e15),
    "a hair apart, standard": _scaled(1e-17, 2e-17, 0),
    "a hair apart, minmax": _scaled(1e-17, 2e-17, 0, scale="minmax"),
    "tiny, standard": _scaled(1e-170, 2e-170, 0),
    "tiny, minmax": _scaled(1e-300, 2e-300, 0, scale="minmax"),
    "subnormal, minmax": _scaled(SUBNORMAL, 1e-323, 0, scale="minmax"),
    "subnormal, standard": _scaled(SUBNORMAL, 1e-323, 0),
    "huge, standard": _scaled(1e200, 2e200, 0),
    "huge, minmax": _scaled(1e300, -1e300, 0, scale="minmax"),
    "largest, minmax": _scaled(LARGEST, -LARGEST, 0, scale="minmax"),
    "far from 0, standard": _scaled(1e15 + 1, 1e15 + 2, 1e15 + 4),
    "targets without variance": Case(targets=[4.0] * 4, data={"target_scale": "standard"}),
    "subnormal weights": Case(weights=[SUBNORMAL, -1e-310, SMALLEST, -1e-300]),
    "tiny weights": Case(weights=[1e-17, -2e-16, 2.2e-16, -1e-160]),
    "weights that saturate": Case(weights=[1e3, -1e3, 800.0, -710.0]),
    "weights that saturate all": Case(weights=[1e15, 1e15, -1e15]),
    "huge weights": Case(weights=[1e150, -1e200, 1e300]),
    "largest weights": Case(weights=[LARGEST, -LARGEST]),
    "weights on the brink of exp": Case(
        [[1.0, 0.0], [-1.0, 0.0], [0.99, 0.0]], weights=[709.782712893384, 745.13321910194122, 36.7]
    ),
    "weights of 0": Case(training={"initializer": "zeros"}),
    "clip 0": Case(training={"clip": 0.0}),
    "clip tiny": Case(training={"clip": 1e-310}),
    "clip huge": Case(training={"clip": LARGEST, "learning_rate": 1e10}),
    "clip_norm 0": Case(training={"clip_norm": 0.0}),
    "clip_norm tiny": Case(training={"clip_norm": 1e-310}),
    "clip_norm of vanishing": Case(
        [[1e-200, 1e-200]] * 2, training={"clip_norm": 0.1}, hidden=()
    ),
    "clip_norm of exploding": Case([[1e200, 1e200]] * 2, training={"clip_norm": 0.1}, hidden=()),
    "clips of exploding": Case(
        [[1e120, 1e120]] * 3, training={"clip": 0.5, "clip_norm": 0.1, "learning_rate": 1e50}
    ),
    "clips of exploding, compact": Case(
        [[1e120, 1e120]] * 3,
        training={"clip": 0.5, "clip_norm": 0.1, "learning_rate": 1e50, "batch_size": 2},
        columns="compact",
    ),
    "diverges, compact": Case(
        [[3.0, -4.0], [9.0, 2.0]], targets=[5.0, -7.0],
        training={"learning_rate": 1e100, "clip": 1e300, "batch_size": 2, "epochs": 6},
        columns="compact",
    ),
    "diverges late, batches": Case(
        [[3.0, -4.0], [9.0, 2.0], [1.0, 1.0]], targets=[5.0, -7.0, 0.0],
        training={"learning_rate": 1e25, "batch_size": 2, "epochs": 6},
    ),
    "diverges, validation": Case(
        [[1e160, -4.0], [9.0, 2e170], [1.0, 1.0], [2.0, 2.0]],
        data={"validation": 0.5},
        training={"learning_rate": 1e100, "patience": 1, "epochs": 4},
    ),
    "all numbers of the optimizer 0": Case(training={"*": 0.0}),
    "all numbers of the optimizer 1": Case(training={"*": 1.0}),
    "epsilon subnormal": Case(training={"epsilon": SUBNORMAL}),
    "epsilon huge": Case(training={"epsilon": LARGEST}),
    "betas next to 1": Case(training={"beta1": 1 - 2**-53, "beta2": 1 - 2**-53}),
    "gradients that vanish": Case(weights=[1e-80, 1e-90], training={"learning_rate": 1e-90}),
    "min_delta huge": Case(
        data={"validation": 0.5}, training={"min_delta": LARGEST, "patience": 2, "epochs": 4}
    ),
    "dropout next to all": Case(
        hidden=({"units": 3, "dropout": 0.999}, {"units": 2, "dropout": 1e-300})
    ),
    "500 columns": Case(
        [[(i * 7 + k * 3) % 11 / 4 for i in range(500)] for k in range(3)],
        hidden=({"units": 3}, {"units": 9}, {"units": 2}), data={"scale": "standard"},
        training={"epochs": 1},
    ),
}  # fmt: skip

NETWORKS = [
    (activation, loss)
    for activation, (loss, record) in itertools.product(ACTIVATIONS, LOSSES.items())
    if record.suits(activation)
]
"""Last activation and loss; hidden layers have it too, where they may, else tanh."""

SINGLES: dict[str, tuple[dict[str, Any], list[list[object]]]] = {}
"""Whole specs that fit in none of the above: name -> (document, table)."""


def _labels(*labels: object, activation: str = "softmax", **training: Any) -> Any:
    table = [["x", "y"], *([k * 0.5 - 1, label] for k, label in enumerate(labels))]
    document = {
        "data": {"source": "d.csv", "inputs": ["x"], "target": "y"},
        "layers": [{"activation": activation}],
        "training": {"epochs": 2, **training},
    }
    return document, table


SINGLES |= {
    "one class, softmax": _labels("a", "a", "a"),
    "one class, sigmoid": _labels("a", "a", activation="sigmoid"),
    "one class of numbers": _labels(3, 3, 3),
    "classes 0 and -0.0": _labels("0", "-0.0", "1"),
    "classes an ulp apart": _labels(0.1 + 0.2, 0.3, 0.3, 0.1 + 0.2),
    "classes a hair apart": _labels(1e-17, 0, 2e-17, 0),
    "classes subnormal": _labels("5e-324", "1e-323", "0", "5e-324"),
    "classes huge": _labels(LARGEST, -LARGEST, 1e308),
    "classes 15 digits apart": _labels("1.00000000000001", "1.00000000000002", "-3e-15", "0"),
    "classes large": _labels(1e307, -1e307, 9.99999999999999e306),
    "classes beyond 2^53": _labels("9007199254740992", "9007199254740994", "9007199254740996"),
    "classes that collapse": _labels("9007199254740992", "9007199254740993"),
    "classes alike but for case": _labels("a", "A", "a", "ａ"),
    "classes that look like numbers": _labels("1,5", "x1", "1.50x", "1.5"),
}


@dataclass(frozen=True)
class Outcome:
    """What became of a case: ``kind`` is agrees, differs, refused or broken."""

    kind: str
    text: str


def document_of(case: Case, activation: str, loss: str, optimizer: str) -> dict[str, Any]:
    """The spec of a case as TOML yields it; its rows are in ``d.csv``."""
    inner = activation if not ACTIVATIONS[activation].last_only else "tanh"
    layers = [{"activation": inner, **layer} for layer in case.hidden]
    outputs = len(_goals(case, loss)[0])
    layers.append({"activation": activation, "units": outputs})
    if case.weights is not None:
        turn = itertools.cycle(case.weights)
        inputs = len(case.inputs[0])
        for layer in layers:
            units = layer["units"]
            layer["weights"] = [[next(turn) for _ in range(inputs)] for _ in range(units)]
            layer["bias"] = [next(turn) for _ in range(units)]
            inputs = units
    own = {h.name for h in OPTIMIZERS[optimizer].hyperparameters}
    optional = {"beta1", "beta2", "rho", "epsilon", "momentum"}
    training = {"epochs": 2, **case.training}
    for key in optional - own:
        training.pop(key, None)
    every = training.pop("*", None)
    if every is not None:
        training |= dict.fromkeys(own - {"learning_rate"}, every)
    return {
        "data": {
            "source": "d.csv",
            "inputs": [f"x{i}" for i in range(len(case.inputs[0]))],
            "target": [f"y{k}" for k in range(outputs)],
            **case.data,
        },
        "layers": layers,
        "training": {**training, "loss": loss, "optimizer": optimizer},
    }


def _goals(case: Case, loss: str) -> list[list[object]]:
    kind = LOSSES[loss].targets
    rows = len(case.inputs)
    if kind == "shares":
        return [[float(k % 2), float(1 - k % 2)] for k in range(rows)]
    if case.targets is not None and kind == "any":
        return [[value, 1.0] for value in case.targets]
    return [[float(k % 2), 0.25] for k in range(rows)]


def spec_of(case: Case, activation: str, loss: str, optimizer: str, folder: Path) -> Spec:
    """The spec, its rows written into the folder."""
    document = document_of(case, activation, loss, optimizer)
    names = [*document["data"]["inputs"], *document["data"]["target"]]
    rows = [[*x, *y] for x, y in zip(case.inputs, _goals(case, loss), strict=True)]
    return written(document, [names, *rows], folder)


def written(document: dict[str, Any], table: Texts, folder: Path) -> Spec:
    """The spec of a document; its table is written into the folder."""
    with (folder / "d.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(table)
    return parse_spec(document, name="case", folder=folder)


def outcome(
    make: Callable[[Path], Spec], *, columns: str = "all", sheets: Sequence[str] | None = None
) -> Outcome:
    """Export and verify; ``make`` writes the data into a folder and returns the spec."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            spec = make(folder)
            exported = sheetnet.export(spec, folder / "b.xlsx", columns=columns, sheets=sheets)
            report = sheetnet.verify(folder / "b.xlsx")
        except SheetnetError as error:
            text = str(error)
            return Outcome("refused" if "\n" not in text else "broken", text)
        except Exception as error:
            return Outcome("broken", f"{type(error).__name__}: {error}")
    return judged(report, exported.diverged_at, ("local", "trajectory", "saved"))


def judged(report: Report, diverged_at: int | None, names: Sequence[str]) -> Outcome:
    """What a report says of a run that diverges at this visit, or not."""
    checks = [report.checks[each] for each in names]
    worst = max((check.max_rel or 0.0) for check in checks)
    if not report.agree:
        failed = next(c for c in report.checks.values() if not c.ok)
        return Outcome("differs", f"{worst:.2g} {failed.first_failure}")
    if report.checks["trajectory"].sheet_diverged_at != diverged_at:
        return Outcome("differs", "the sheet and export name different visits of divergence")
    same = all(check.identical == check.cells > 0 for check in checks)
    text = "identical" if same else f"largest difference {worst:.2g} of its column"
    if diverged_at is not None:
        text += f", both diverge at visit {diverged_at}"
    return Outcome("agrees" if same else "agrees, not identical", text)


def run_case(
    name: str, activation: str, loss: str, optimizer: str, sheets: Sequence[str] | None = None
) -> Outcome:
    """One of :data:`CASES` with a network and an optimizer."""
    case = CASES[name]
    return outcome(
        lambda folder: spec_of(case, activation, loss, optimizer, folder),
        columns=case.columns,
        sheets=sheets,
    )


def run_single(name: str) -> Outcome:
    """One of :data:`SINGLES`."""
    return outcome(lambda folder: written(*SINGLES[name], folder))


def every(word: str, optimizers: Sequence[str]) -> Iterator[tuple[str, str, str, Outcome]]:
    """All cases whose name holds the word: (case, network, optimizer, what became of it).

    The first network and optimizer of each has all sheets, the others those of the training.
    """
    for name in CASES:
        if word in name:
            sheets = None
            for (activation, loss), optimizer in itertools.product(NETWORKS, optimizers):
                found = run_case(name, activation, loss, optimizer, sheets)
                yield name, f"{activation}, {loss}", optimizer, found
                if found.kind == "refused" and not LOSSES[loss].goes_with:
                    break  # the data are, with whatever network
                sheets = FEW
    for name in SINGLES:
        if word in name:
            yield name, "", "", run_single(name)


ELSEWHERE = (
    "plain", "subnormal beside plain", "tiny data", "large data", "17 digits", "negative zero",
    "integers beyond 2^53", "alike rows, scaled", "one row", "rate 1e-300", "rate 1e+300",
    "no variance, standard", "weights that saturate", "batch larger than rows",
    "subnormal data", "an ulp apart, standard", "a hair apart, minmax", "tiny weights",
    "clip_norm of vanishing", "gradients that vanish", "diverges, validation",
)  # fmt: skip
"""Cases for LibreOffice, whose start takes seconds."""


def in_libreoffice(
    names: Sequence[str], folder: Path, network: tuple[str, str] = ("tanh", "mse")
) -> dict[str, Outcome]:
    """What LibreOffice makes of cases, from copies without values."""
    from ledgers import without_values
    from soffice import Job, edit_in_libreoffice

    jobs, diverged = [], []
    for n, name in enumerate(names):
        place = folder / str(n)
        place.mkdir()
        spec = spec_of(CASES[name], *network, "sgd", place)
        exported = sheetnet.export(spec, place / "b.xlsx", sheets=FEW)
        diverged.append(exported.diverged_at)
        jobs.append(Job(without_values(exported.path), place / "saved.xlsx"))
    edit_in_libreoffice(jobs, folder / "libreoffice")
    found = {}
    for name, job, at in zip(names, jobs, diverged, strict=True):
        found[name] = judged(sheetnet.verify(job.target, "saved"), at, ("local", "trajectory"))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--case", default="", help="only cases whose name holds this")
    parser.add_argument("--optimizer", choices=OPTIMIZERS, action="append")
    parser.add_argument("--libreoffice", action="store_true")
    options = parser.parse_args()
    if options.libreoffice:
        with tempfile.TemporaryDirectory() as name:
            for case, found in in_libreoffice(ELSEWHERE, Path(name)).items():
                print(f"{case:<32}{found.kind}: {found.text}")
        return 0
    kinds: Counter[str] = Counter()
    for case, network, optimizer, found in every(options.case, options.optimizer or [*OPTIMIZERS]):
        kinds[found.kind] += 1
        print(f"{case:<32}{network:<27}{optimizer:<10}{found.kind}: {found.text}", flush=True)
    print(", ".join(f"{count} {kind}" for kind, count in kinds.items()))
    return 1 if kinds["differs"] or kinds["broken"] or math.fsum(kinds.values()) == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
