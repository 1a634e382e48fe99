"""What the sheets beside the training cost: size and export time with and without each.

    python tests/benchmarks/sheets.py

A table in Markdown: for a few runs, the bytes and the seconds of an export with the sheets
that the training needs alone, with each other sheet added to them, and with all; seconds
also as a ratio to the first, taken side by side in one process (the best of three).
Nothing is asserted.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import sheetnet
from sheetnet.regions import COMPARE, EPOCHS, GUIDE, PREDICT, STEP
from sheetnet.spec import Spec, parse_spec

EXAMPLES = Path(__file__).parents[2] / "examples"
BEST_OF = 3


def runs() -> Iterator[tuple[str, Spec]]:
    """Name and spec."""
    for name in ("xor", "iris", "diabetes"):
        yield name, sheetnet.load_spec(EXAMPLES / f"{name}.toml")
    document = {
        "data": {"source": "toy:moons", "rows": 2000},
        "layers": [{"units": 8, "activation": "tanh"}, {"activation": "sigmoid"}],
        "training": {"epochs": 10, "learning_rate": 0.1, "seed": 1},
    }
    yield "2-8-1, 20,000 visits", parse_spec(document, name="long", folder=EXAMPLES)


def measured(spec: Spec, sheets: tuple[str, ...] | None, folder: Path) -> tuple[int, float]:
    """Bytes, and seconds of the best try."""
    best = float("inf")
    for _ in range(BEST_OF):
        start = time.perf_counter()
        done = sheetnet.export(spec, folder / "book.xlsx", sheets=sheets)
        best = min(best, time.perf_counter() - start)
    return done.size, best


def main() -> None:
    """Print the table."""
    print("| run | sheets | kB | s | ratio |")
    print("| --- | --- | ---: | ---: | ---: |")
    for name, spec in runs():
        with tempfile.TemporaryDirectory() as folder:
            base = None
            for label, sheets in (
                ("needed alone", ()),
                *((f"+ {title}", (title,)) for title in (GUIDE, EPOCHS, STEP, PREDICT, COMPARE)),
                ("all", None),
            ):
                size, seconds = measured(spec, sheets, Path(folder))
                base = base or seconds
                figures = f"{size / 1e3:,.0f} | {seconds:.2f} | {seconds / base:.2f}"
                print(f"| {name} | {label} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
