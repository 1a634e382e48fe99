"""Put many random faults into workbooks of all kinds and see whether ``verify`` finds them.

    python tests/mutate.py --count 5000 --seed 7

prints what was tried, by kind and by sheet, and each fault that is not found where it is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mutations import Mutation, mutations
from packages import Package
from stopping import stopping
from support import make_spec

import sheetnet
from sheetnet.errors import SheetnetError
from sheetnet.spec import Spec


@dataclass(frozen=True)
class Outcome:
    """What verify said of a fault: whether it was found, and found where it is."""

    book: str
    fault: Mutation
    found: bool
    located: bool
    said: str

    def __str__(self) -> str:
        state = "located" if self.located else "found elsewhere" if self.found else "MISSED"
        return f"{self.book}, {self.fault.kind}: {self.fault.what}\n    {state}: {self.said}"


def judge(name: str, package: Package, fault: Mutation, target: Path) -> Outcome:
    """Write the faulty workbook and ask verify."""
    package.write(target, fault.parts)
    try:
        report = sheetnet.verify(target)
    except SheetnetError as error:
        named = any(word in str(error) for word in (*fault.cells, *fault.words))
        return Outcome(name, fault, True, named, f"Error: {error}")
    failed = {check: held.first_failure for check, held in report.checks.items() if not held.ok}
    said = [(check, f) for check, f in failed.items() if f is not None]
    if not said:
        return Outcome(name, fault, bool(failed), False, "nothing" if report.agree else "no cell")
    # What a reader meets first; and the local check, which is there to find the cell itself.
    meant = [said[0]] + [pair for pair in said if pair[0] == "local"]
    located = all(
        f"{f.sheet}!{f.cell}" in fault.cells or {f.sheet, f.quantity.split()[-1]} & {*fault.words}
        for _, f in (meant if fault.cells else meant[:1])
    )
    return Outcome(name, fault, True, located, "; ".join(f"{c}: {f}" for c, f in meant))


TABLE = "p,q,s,u,v\n0.1,-1.5,1,2,0.3\n0.7,0.25,2,-1,0.9\n-0.4,1.25,0,0.5,0.1\n1.1,-0.6,1,1.5,0.2\n"
SIGMOID, SOFTMAX = {"activation": "sigmoid"}, {"activation": "softmax"}


def specs(folder: Path) -> dict[str, tuple[Spec, Sequence[str] | None]]:
    """Small runs of all kinds, and the sheets that each is exported with (None: all)."""
    import openpyxl

    (folder / "table.csv").write_text(TABLE, encoding="utf-8")
    book = openpyxl.Workbook()
    for line in TABLE.splitlines():
        book.worksheets[0].append([c if c.isalpha() else float(c) for c in line.split(",")])
    book.save(folder / "table.xlsx")
    three = {"inputs": ["p", "q", "s"], "target": "u"}
    hidden = {"units": 2, "activation": "tanh"}

    def both(optimizer: str, **options: object) -> Spec:
        return make_spec(layers=[hidden, SIGMOID], epochs=2, optimizer=optimizer, **options)

    stops = ["Epochs", "Step"]
    return {
        "perceptron": (
            make_spec(source="toy:line", data={"rows": 3}, layers=[{}], epochs=2), None,
        ),
        "map": (make_spec(source="toy:and", layers=[SIGMOID], epochs=2), ["Predict"]),
        "momentum": (
            both("momentum", batch_size=2, momentum=0.7, clip=0.1), ["Epochs", "Step", "Compare"],
        ),
        "nesterov": (both("nesterov", shuffle=True, momentum=0.7, clip_norm=0.2), ["Compare"]),
        "adagrad": (both("adagrad", batch_size=3, shuffle=True), ["Step", "Epochs"]),
        "rmsprop": (both("rmsprop", clip=0.1, clip_norm=0.2), ["Step"]),
        "adam": (
            make_spec(
                layers=[{**hidden, "dropout": 0.4}, {**hidden, "train_bias": False}, SIGMOID],
                epochs=2, batch_size=2, shuffle=True, optimizer="adam",
            ),
            ["Epochs", "Step"],
        ),
        "softmax": (
            make_spec(
                source="toy:blobs", data={"rows": 6, "scale": "standard"},
                layers=[hidden, SOFTMAX], epochs=2, shuffle=True,
            ),
            ["Epochs", "Step", "Compare"],
        ),
        "softmax mse": (
            make_spec(
                source="toy:blobs", data={"rows": 6, "scale": "minmax"}, layers=[SOFTMAX],
                epochs=2, loss="mse", batch_size=4,
            ),
            ["Step"],
        ),
        "outputs": (
            make_spec(
                source="table.csv",
                data={"inputs": ["p", "q"], "target": ["u", "v"], "scale": "minmax",
                      "target_scale": "standard"},
                layers=[{"units": 2, "activation": "leaky_relu"}, {"activation": "linear"}],
                folder=folder, epochs=2, learning_rate=0.05,
            ),
            ["Epochs", "Step", "Compare"],
        ),
        "xlsx": (
            make_spec(
                source="table.xlsx", data={**three, "target_scale": "minmax"},
                layers=[{"units": 2, "activation": "relu"}, {"activation": "linear"}],
                folder=folder, epochs=2, learning_rate=0.05,
            ),
            None,
        ),
        "threshold": (stopping("threshold", folder, epochs=4), stops),
        "classes": (stopping("classes", folder, epochs=4), stops),
        "numbers": (stopping("numbers", folder, epochs=3), stops),
        "diverging": (
            make_spec(
                source="toy:line", data={"rows": 3},
                layers=[{"units": 2, "activation": "relu"}, {"activation": "linear"}],
                epochs=4, learning_rate=1e60,
            ),
            ["Epochs", "Step", "Compare"],
        ),
    }  # fmt: skip


NAMES = (
    "perceptron", "map", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "softmax",
    "softmax mse", "outputs", "xlsx", "threshold", "classes", "numbers", "diverging",
)  # fmt: skip
"""Of all workbooks."""


def books(folder: Path, names: Iterable[str] | None = None) -> dict[str, Package]:
    """The workbooks, each without fault."""
    found = {}
    every = specs(folder)
    assert tuple(every) == NAMES
    for name, (spec, sheets) in every.items():
        if names is not None and name not in names:
            continue
        path = folder / f"{name}.xlsx"
        sheetnet.export(spec, path, sheets=sheets)
        found[name] = Package.read(path)
    return found


def table(faults: Iterable[tuple[str, str]]) -> str:
    """How many of each kind on each sheet: (kind, sheet) of each fault."""
    counts = Counter(faults)
    kinds, sheets = sorted({k for k, _ in counts}), sorted({s for _, s in counts})
    lines = [f"{'':<30}" + "".join(f"{sheet:>11}" for sheet in (*sheets, "all"))]
    for kind in kinds:
        row = [counts[kind, sheet] for sheet in sheets]
        lines.append(f"{kind:<30}" + "".join(f"{n or '·':>11}" for n in (*row, sum(row))))
    sums = [sum(counts[kind, sheet] for kind in kinds) for sheet in sheets]
    lines.append(f"{'all':<30}" + "".join(f"{n:>11}" for n in (*sums, sum(sums))))
    return "\n".join(lines)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="faults in all")
    parser.add_argument("--seed", default="0")
    parser.add_argument("--book", action="append", help="one of the workbooks only, by its name")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        packages = books(folder, options.book)
        outcomes: list[Outcome] = []
        for n, (name, package) in enumerate(packages.items()):
            count = (options.count + n) // len(packages)
            for fault in mutations(package, count, f"{options.seed} {name}"):
                outcomes.append(judge(name, package, fault, folder / "fault.xlsx"))
                if not outcomes[-1].located:
                    print(outcomes[-1], flush=True)
    print(table((outcome.fault.kind, outcome.fault.sheet) for outcome in outcomes))
    wrong = [outcome for outcome in outcomes if not outcome.located]
    missed = [outcome for outcome in wrong if not outcome.found]
    print(
        f"{len(outcomes)} faults, {len(missed)} missed, {len(wrong) - len(missed)} found elsewhere"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
