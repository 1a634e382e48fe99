"""How far engines are from NumPy: the figures that the tolerances of ``verify`` stand on.

``python tests/tolerances.py`` exports the examples, three long runs and as many specs drawn at
random from a seed as asked (``--drawn``), has each engine recalculate them from copies without
values, and prints the largest difference of a cell, as a share of its column's size: ``local``
where Python takes the sheet's own numbers of a row, ``trajectory`` where it trains by itself.
Workbooks with columns of nothing but rounding errors (below 1e-12) are told apart: an application
that takes them for 0 is off by all of them.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soffice
from drawn import sample, spec_of
from ledgers import Formualized, Ledger, ledgers_in_python, without_values
from soffice import Job, edit_in_libreoffice
from support import make_spec

import sheetnet
from sheetnet.concepts.arithmetic import Array
from sheetnet.errors import DataError
from sheetnet.reader.grid import read_grid
from sheetnet.reader.package import open_package
from sheetnet.spec import Spec, load_spec

ROOT = Path(__file__).parent.parent
Measure = Callable[[Sequence["Book"], Path], Iterable["Measured"]]

NOISE = 1e-12
"""A column whose largest number is below it (and not 0) holds rounding errors alone."""


@dataclass(frozen=True)
class Book:
    """A workbook, and what Python has for its ledgers."""

    name: str
    path: Path
    ledgers: dict[str, Ledger]

    @property
    def noisy(self) -> bool:
        """Whether a column holds rounding errors alone."""
        for ledger in self.ledgers.values():
            largest = np.abs(np.nan_to_num(ledger.values)).max(axis=0)
            if ((largest > 0) & (largest < NOISE)).any():
                return True
        return False


@dataclass(frozen=True)
class Measured:
    """Of one workbook and engine; ``local`` is None where it is not measured."""

    book: Book
    cells: int
    identical: int
    local: float | None
    trajectory: float


LONG = [("sgd", "tanh", 0.05), ("momentum", "tanh", 0.01), ("adam", "relu", 0.01)]
"""Runs of 5,000 visits, in which differences have time to grow: optimizer, activation, rate."""


def long_run(optimizer: str, activation: str, rate: float) -> Spec:
    """A small network over moons."""
    return make_spec(
        source="toy:moons",
        data={"rows": 100},
        layers=[{"units": 4, "activation": activation}, {"activation": "sigmoid"}],
        optimizer=optimizer,
        learning_rate=rate,
        epochs=50,
    )


def books(folder: Path, drawn: int, *, seed: str, examples: bool, long: bool) -> Iterator[Book]:
    """The examples, long runs, then specs drawn at random of numbers of everyday size."""
    for source in sorted((ROOT / "examples").glob("*.toml")) if examples else ():
        yield _exported(load_spec(source), source.stem, folder)
    for each in LONG if long else ():
        yield _exported(long_run(*each), f"long {each[0]}", folder)
    for n, run in enumerate(sample(drawn, key=seed, tame=True) if drawn else ()):
        place = folder / str(n)
        place.mkdir()
        with contextlib.suppress(DataError):
            yield _exported(spec_of(*run, place), f"drawn {n}", place)


def _exported(spec: Spec, name: str, folder: Path) -> Book:
    path = folder / f"{name}.xlsx".replace(" ", "")
    sheetnet.export(spec, path, sheets=["Epochs"])
    return Book(name, path, ledgers_in_python(spec))


def by_verify(book: Book, path: Path, engine: str) -> Measured:
    """As ``verify`` finds them, in all cells."""
    report = sheetnet.verify(path, engine)
    local, trajectory = report.checks["local"], report.checks["trajectory"]
    worst = [check.max_rel or 0.0 for check in (local, trajectory)]
    return Measured(book, trajectory.cells, trajectory.identical, *worst)


def by_ledgers(book: Book, found: dict[str, Array]) -> Measured:
    """From the numbers of each ledger as an engine has them."""
    cells = identical = 0
    worst = 0.0
    for name, ledger in book.ledgers.items():
        kept = [i for i, label in enumerate(ledger.labels) if "hits" not in label]
        kept = [i for i in kept if "accuracy" not in ledger.labels[i]]
        sheet, python = found[name][:, kept], ledger.values[:, kept]
        both = np.isfinite(sheet) & np.isfinite(python)
        same = (sheet == python) | (~np.isfinite(sheet) & ~np.isfinite(python))
        cells, identical = cells + sheet.size, identical + int(same.sum())
        size = np.abs(np.where(np.isfinite(python), python, 0.0)).max(axis=0)
        apart = np.abs(np.where(both, sheet - python, 0.0))
        worst = max(worst, float(np.max(apart / np.where(size > 0, size, 1.0))))
    return Measured(book, cells, identical, None, worst)


def by_libreoffice(all_books: Sequence[Book], folder: Path) -> list[Measured]:
    """One LibreOffice opens copies without values, and saves what it has calculated."""
    jobs = [Job(without_values(b.path), b.path.with_name(f"lo-{b.path.name}")) for b in all_books]
    folder.mkdir()
    edit_in_libreoffice(jobs, folder / "libreoffice")
    return [by_verify(b, job.target, "saved") for b, job in zip(all_books, jobs, strict=True)]


def by_gnumeric(book: Book) -> Measured:
    """What ``ssconvert`` calculates."""
    target = book.path.with_name(f"gn-{book.path.name}")
    command = ["ssconvert", "--recalc", str(without_values(book.path)), str(target)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    package = open_package(target)
    found = {}
    for name, ledger in book.ledgers.items():
        region = ledger.region
        grid = read_grid(package, region.sheet, region.last_row, region.last_column)
        found[name] = grid.region(region)
    return by_ledgers(book, found)


def by_formualizer(book: Book) -> Measured:
    """It stands in for Excel's dependency rules."""
    made = Formualized(without_values(book.path))
    found = {}
    for name, ledger in book.ledgers.items():
        try:
            found[name] = made.numbers(ledger.region)
        except AssertionError:  # it does not know SIGN over ranges: hits and accuracy
            found[name] = ledger.values
    return by_ledgers(book, found)


def table(engine: str, measured: Sequence[Measured]) -> str:
    """Lines of the table: examples and drawn ones, those with noise by themselves."""
    groups: dict[str, list[Measured]] = {}
    for each in measured:
        first = each.book.name.partition(" ")[0]
        kind = first if first in ("drawn", "long") else "examples"
        groups.setdefault(kind + (", noise" if each.book.noisy else ""), []).append(each)
    lines = []
    for kind, those in sorted(groups.items()):
        cells, same = sum(m.cells for m in those), sum(m.identical for m in those)
        locals_ = [m.local for m in those if m.local is not None]
        local = f"{max(locals_):.1e}" if locals_ else "-"
        worst = max(those, key=lambda m: m.trajectory)
        lines.append(
            f"{engine:<12}{kind:<17}{len(those):>6}{cells:>11,}{same / cells:>10.2%}{local:>10}"
            f"{worst.trajectory:>11.1e}  {worst.book.name}"
        )
    return "\n".join(lines)


def one_by_one(measure: Callable[[Book], Measured]) -> Measure:
    """Engines that take a workbook at a time."""
    return lambda every, _: map(measure, every)


def few_at_a_time(every: Sequence[Book], folder: Path) -> Iterator[Measured]:
    """LibreOffice is ended after some time, so it gets a few workbooks in each start."""
    soffice.TIMEOUT = 600.0
    for first in range(0, len(every), 6):
        yield from by_libreoffice(every[first : first + 6], folder / f"start{first}")


MEASURES: dict[str, Measure] = {
    "ironcalc": one_by_one(lambda book: by_verify(book, book.path, "ironcalc")),
    "formualizer": one_by_one(by_formualizer),
    "gnumeric": one_by_one(by_gnumeric),
    "libreoffice": few_at_a_time,
}
"""Gnumeric needs ``ssconvert``, LibreOffice ``soffice``."""

HEAD = (
    f"{'engine':<12}{'workbooks':<17}{'':>6}{'cells':>11}{'identical':>10}{'local':>10}"
    f"{'trajectory':>11}  largest in"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--drawn", type=int, default=60, help="specs drawn at random")
    parser.add_argument("--seed", default="tolerances")
    parser.add_argument("--engine", choices=MEASURES, action="append", help="default: all")
    parser.add_argument("--no-examples", action="store_true")
    parser.add_argument("--no-long", action="store_true")
    parser.add_argument("--each", action="store_true", help="a line for each workbook, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        wanted = {"examples": not options.no_examples, "long": not options.no_long}
        every = list(books(Path(name), options.drawn, seed=options.seed, **wanted))
        print(HEAD)
        for engine in options.engine or MEASURES:
            found = []
            for each in MEASURES[engine](every, Path(name)):
                found.append(each)
                if options.each:
                    local = "-" if each.local is None else f"{each.local:.1e}"
                    print(f"{each.book.name}: {local} {each.trajectory:.1e}", flush=True)
            print(table(engine, found), flush=True)


if __name__ == "__main__":
    main()
