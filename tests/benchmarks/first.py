"""Figures of one run: export, and verification by each engine, of a 2-8-1 network.

    python tests/benchmarks/first.py [ROWS]

Prints a table; nothing is asserted.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import sheetnet
from sheetnet.recalc.libreoffice import find_soffice
from sheetnet.spec import parse_spec


def main(rows: int) -> None:
    """Measure and print."""
    spec = parse_spec(
        {
            "data": {"source": "toy:moons", "rows": rows},
            "layers": [{"units": 8, "activation": "tanh"}, {"activation": "sigmoid"}],
            "training": {"epochs": 1, "learning_rate": 0.1},
        },
        name="benchmark",
        folder=Path(),
    )
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "book.xlsx"
        start = time.perf_counter()
        sheetnet.train(spec)
        trained = time.perf_counter() - start
        start = time.perf_counter()
        done = sheetnet.export(spec, book)
        seconds = time.perf_counter() - start
        cells = done.visits * done.columns
        print(f"train   {rows:,} visits in {trained:.2f} s: {rows / trained:,.0f} visits/s")
        print(
            f"export  {cells:,} cells in {seconds:.2f} s (training included): "
            f"{cells / seconds:,.0f} cells/s, {done.size / cells:.1f} bytes/cell"
        )
        for engine in ["ironcalc", *(["libreoffice"] if find_soffice() else [])]:
            start = time.perf_counter()
            report = sheetnet.verify(book, engine)
            seconds = time.perf_counter() - start
            local, way = report.checks["local"], report.checks["trajectory"]
            print(
                f"verify  {engine}: {seconds:.1f} s, agree {report.agree}; local: largest "
                f"difference {local.max_abs:.3g} ({local.max_rel:.3g} of its column); "
                f"trajectory: {way.max_abs:.3g} ({way.max_rel:.3g}); "
                f"cells not identical: {way.cells - (way.identical or 0):,} of {way.cells:,}"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
