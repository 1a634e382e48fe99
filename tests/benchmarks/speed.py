"""How fast workbooks are written and verified: tables in Markdown, nothing is asserted.

    pip install '.[bench]'
    python tests/benchmarks/speed.py [export] [verify] [memory] [sizes] [--visits N]

export: the ledger of a 2-8-1 network as live formulas, beside openpyxl (write-only) and
XlsxWriter (constant_memory) writing the same formulas, and beside the compression of the
same bytes and nothing else. verify: IronCalc and LibreOffice from start to end, IronCalc's
own load and evaluation, the local check. memory: the peaks of processes of their own.
sizes: time per cell from 10⁴ to 10⁷ cells.

All contestants of a table run side by side; seconds are those of the clock.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import sheetnet
from sheetnet.formulas import ledger_formulas
from sheetnet.layout import TRAIN_FIRST_ROW, layout_of
from sheetnet.problem import load_problem
from sheetnet.recalc.libreoffice import find_soffice
from sheetnet.spec import Spec, parse_spec

COLUMNS = 134
VISITS = 20_000
FEW = 2_200
"""Visits of about 300 thousand cells."""


def spec_of(visits: int) -> Spec:
    """2-8-1 with tanh and sigmoid, batches of one."""
    rows = min(visits, 2000)
    document = {
        "data": {"source": "toy:moons", "rows": rows},
        "layers": [{"units": 8, "activation": "tanh"}, {"activation": "sigmoid"}],
        "training": {"epochs": visits // rows, "learning_rate": 0.1, "seed": 1},
    }
    return parse_spec(document, name="benchmark", folder=Path())


def clocked(work: Callable[[], object], times: int = 1) -> float:
    """Seconds of the best try."""
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def rows_of(visits: int) -> Iterator[tuple[list[float], list[str | float]]]:
    """For each row of the ledger its numbers, and the same with formulas as texts."""
    problem = load_problem(spec_of(visits))
    layout = layout_of(problem, ())
    formulas = ledger_formulas(problem, layout)
    run = sheetnet.train(problem.spec)
    for row, numbers in enumerate(run.matrix.tolist(), TRAIN_FIRST_ROW):
        yield (
            numbers,
            [
                number if formula is None else "=" + formula.at(row, TRAIN_FIRST_ROW)
                for formula, number in zip(formulas, numbers, strict=True)
            ],
        )


def by_openpyxl(path: Path, visits: int) -> float:
    """Seconds of openpyxl's write-only mode; making the texts is not counted."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Train")
    seconds = 0.0
    for _, cells in rows_of(visits):
        start = time.perf_counter()
        sheet.append(cells)
        seconds += time.perf_counter() - start
    return seconds + clocked(lambda: book.save(path))


def by_xlsxwriter(path: Path, visits: int) -> float:
    """Seconds of XlsxWriter's constant_memory mode, with the values; texts are not counted."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet("Train")
    seconds = 0.0
    for row, (numbers, cells) in enumerate(rows_of(visits)):
        start = time.perf_counter()
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                sheet.write_formula(row, column, cell, None, numbers[column])
            else:
                sheet.write_number(row, column, cell)
        seconds += time.perf_counter() - start
    return seconds + clocked(book.close)


def deflating(path: Path) -> float:
    """Seconds to compress the bytes of ``Train`` and nothing else."""
    from sheetnet.workbook.deflate import Deflate

    with zipfile.ZipFile(path) as package:
        content = max((package.read(name) for name in package.namelist()), key=len)

    def work() -> None:
        deflate = Deflate()
        for at in range(0, len(content), 1 << 20):
            deflate.compress(content[at : at + (1 << 20)])
        deflate.flush()

    return clocked(work, 3)


def export_table(folder: Path, visits: int) -> None:
    """Export, and the same by others."""
    sheetnet.export(spec_of(2000), folder / "warm.xlsx", sheets=())
    print("| what | visits | s | million cells/s | bytes/cell | sheetnet is faster by |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    own = 0.0

    def line(what: str, count: int, seconds: float, size: float = 0) -> None:
        cells = count * COLUMNS
        rate = cells / seconds
        ratio = f"{own / rate:.1f}" if own else ""
        held = f"{size / cells:.1f}" if size else ""
        print(
            f"| {what} | {count:,} | {seconds:.2f} | {rate / 1e6:.2f} | {held} | {ratio} |",
            flush=True,
        )

    path = folder / "book.xlsx"
    for count in (visits, 10 * visits):
        seconds = clocked(lambda n=count: sheetnet.export(spec_of(n), path, sheets=()), 2)
        line("sheetnet, training included", count, seconds, path.stat().st_size)
        if count == visits:
            rate = count * COLUMNS / seconds
            line("compressing the same bytes", count, deflating(path))
    own = rate
    for what, write in (("openpyxl", by_openpyxl), ("XlsxWriter", by_xlsxwriter)):
        try:
            seconds = write(path, visits)
        except ImportError:
            print(f"| {what} | not installed | | | | |")
            continue
        line(what, visits, seconds, path.stat().st_size)


def verify_table(folder: Path, visits: int) -> None:
    """Verification, and its parts."""
    from sheetnet.local import Sheets, local_train
    from sheetnet.reader.package import open_package
    from sheetnet.recalc.ironcalc_engine import calculated

    print("| what | cells | s | million cells/s |")
    print("| --- | ---: | ---: | ---: |")

    def line(what: str, count: int, seconds: float) -> None:
        cells = count * COLUMNS
        print(f"| {what} | {cells:,} | {seconds:.2f} | {cells / seconds / 1e6:.2f} |", flush=True)

    def load(path: Path) -> None:
        with calculated(open_package(path)):
            pass

    for count in (FEW, visits):
        path = folder / "book.xlsx"
        sheetnet.export(spec_of(count), path, sheets=())
        line("IronCalc's own load and evaluation", count, clocked(lambda p=path: load(p), 2))
        line("verify, IronCalc", count, clocked(lambda p=path: sheetnet.verify(p), 2))
        if find_soffice() and count == FEW:
            whole = clocked(lambda p=path: sheetnet.verify(p, "libreoffice"), 2)
            line("verify, LibreOffice", count, whole)
    problem = load_problem(spec_of(visits))
    layout = layout_of(problem, ())
    run = sheetnet.train(problem.spec)
    sheets = Sheets(run.matrix, run.epochs, None, problem.inputs.values, problem.targets.values)
    seconds = clocked(lambda: local_train(problem, layout.ledgers, sheets), 3)
    line("local check alone", visits, seconds)


def peak(work: str, visits: int, path: Path) -> float:
    """Bytes that a process of its own, and one that it starts, have at most."""
    code = (
        "import sheetnet, speed\n"
        f"spec = speed.spec_of({visits})\n"
        f"path = {str(path)!r}\n"
        f"{work}\n"
        "from sheetnet.recalc.process import _IDLE\n"  # the engine has a process of its own
        "pids = 'self', *(engine.process.pid for engine in _IDLE.values())\n"
        "texts = [open(f'/proc/{pid}/status').read() for pid in pids]\n"
        "print(sum(int(text.split('VmHWM:')[1].split()[0]) for text in texts) * 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, check=True
    )
    return float(done.stdout.split()[-1])


def memory_table(folder: Path, visits: int) -> None:
    """Peaks of memory."""
    path = folder / "book.xlsx"
    print("| what | visits | MB | bytes/cell |")
    print("| --- | ---: | ---: | ---: |")
    for what, work, count in (
        ("export", "sheetnet.export(spec, path)", visits),
        ("export", "sheetnet.export(spec, path)", 20 * visits),
        ("export, needed sheets alone", "sheetnet.export(spec, path, sheets=())", visits),
        ("verify, IronCalc", "assert sheetnet.verify(path).agree", visits),
    ):
        held = peak(work, count, path)
        print(
            f"| {what} | {count:,} | {held / 1e6:.0f} | {held / count / COLUMNS:.0f} |", flush=True
        )


def sizes_table(folder: Path, visits: int) -> None:
    """Time per cell over the size of a run."""
    print("| cells | export s | µs/cell | beyond the smallest | verify s | µs/cell |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    path = folder / "book.xlsx"
    first: tuple[int, float] | None = None
    for count in (80, 800, 8_000, 80_000):
        cells = count * COLUMNS
        wrote = clocked(lambda n=count: sheetnet.export(spec_of(n), path, sheets=()), 2)
        read = clocked(lambda: sheetnet.verify(path))
        more = "" if first is None else f"{(wrote - first[1]) / (cells - first[0]) * 1e6:.2f}"
        first = first or (cells, wrote)
        print(
            f"| {cells:,} | {wrote:.2f} | {wrote / cells * 1e6:.2f} | {more} | {read:.2f} "
            f"| {read / cells * 1e6:.2f} |",
            flush=True,
        )


TABLES = {
    "export": export_table,
    "verify": verify_table,
    "memory": memory_table,
    "sizes": sizes_table,
}


def main(arguments: list[str]) -> None:
    """Print the tables that are asked for, or all."""
    visits = int(arguments.pop()) if "--visits" in arguments else VISITS
    asked = [name for name in arguments if name in TABLES] or list(TABLES)
    with tempfile.TemporaryDirectory() as folder:
        for name in asked:
            print(f"\n{name}\n")
            TABLES[name](Path(folder), visits)


if __name__ == "__main__":
    main(sys.argv[1:])
