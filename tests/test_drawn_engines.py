"""Runs drawn at random, recalculated by engines other than the one of the thousands."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import formualizer
import numpy as np
import pytest
from drawn import Document, Table, sample, spec_of
from soffice import Job, edit_in_libreoffice
from support import WITHOUT_VIEWS
from test_examples import without_values

import sheetnet
from sheetnet import engine
from sheetnet.concepts.arithmetic import Array
from sheetnet.errors import DataError
from sheetnet.layout import layout_of
from sheetnet.regions import EPOCHS, TRAIN, VALIDATION
from sheetnet.run import Run

Books = list[tuple[Path, Run]]


def exported(runs: list[tuple[Document, Table | None]], folder: Path) -> Books:
    """The workbooks of the runs; of those with data that cannot be scaled there is none."""
    books = []
    for i, run in enumerate(runs):
        place = folder / str(i)
        place.mkdir()
        spec = spec_of(*run, place)
        try:
            sheetnet.export(spec, place / "book.xlsx", sheets=WITHOUT_VIEWS)
        except DataError:
            continue
        books.append((place / "book.xlsx", sheetnet.train(spec)))
    return books


def matrices(run: Run) -> dict[str, Array]:
    """What Python has for each sheet of rows."""
    found = {TRAIN: run.matrix, EPOCHS: run.epochs}
    if run.ledgers.validation is not None:
        blocks = engine.validation_blocks(run.problem, run.ledgers, run.epochs)
        found[VALIDATION] = np.concatenate(list(blocks))
    return found


def holds_noise(run: Run) -> bool:
    """Whether a column holds nothing but the rounding errors of a sum that should be 0.

    LibreOffice takes a difference below 2^-48 of its operands for 0, and so the whole
    column; Excel does similar things.
    """
    for matrix in matrices(run).values():
        largest = np.abs(np.nan_to_num(matrix)).max(axis=0)
        if ((largest > 0) & (largest < 1e-12)).any():
            return True
    return False


@pytest.mark.libreoffice
def test_libreoffice_agrees(tmp_path: Path) -> None:
    """Numbers of everyday size: others lie beyond what LibreOffice calculates with.

    All are opened in one LibreOffice, from copies without values, so that what it saves
    it has calculated.
    """
    books = exported(sample(14, key="libreoffice", tame=True), tmp_path)
    books = [(path, run) for path, run in books if not holds_noise(run)]
    jobs = [Job(without_values(path), path.with_name("saved.xlsx")) for path, _ in books]
    edit_in_libreoffice(jobs, tmp_path / "libreoffice")
    kinds: Counter[str] = Counter()
    for job, (_, run) in zip(jobs, books, strict=True):
        report = sheetnet.verify(job.target, "saved")
        assert report.agree, report.to_text()
        assert report.cells > 0
        kinds["validates"] += run.problem.network.validates
        kinds["stops"] += run.stopped_after is not None
    assert len(books) >= 8 and kinds["validates"] >= 5 and kinds["stops"] >= 2, kinds


def test_formualizer_finds_no_circle_and_the_same_numbers(tmp_path: Path) -> None:
    """It stands in for Excel, which follows whole ranges; see ``test_examples``."""
    kinds: Counter[str] = Counter()
    for path, run in exported(sample(24, key="formualizer"), tmp_path):
        book = formualizer.load_workbook(str(without_values(path)))
        book.evaluate_all()
        kinds["stops"] += run.stopped_after is not None
        python = matrices(run)
        for region, ledger in layout_of(run.problem).ledger_sheets:
            kinds[region.sheet] += 1
            area = formualizer.RangeAddress(
                region.sheet, region.row, region.column, region.last_row, region.last_column
            )
            rows = book.sheet(region.sheet).get_values(area)
            for r, row in enumerate(rows):
                for label, found, wanted in zip(
                    ledger.labels, row, python[region.sheet][r], strict=True
                ):
                    where = f"{path.parent.name}: {region.sheet} row {r + 1}, {label}: {found}"
                    assert "circ" not in str(found).lower(), where
                    if is_number(found):
                        # It holds numbers too large for a sheet, as inf, in some places.
                        assert found == wanted or not np.isfinite([found, wanted]).any(), where
                    elif np.isfinite(wanted):
                        # It cannot take the SIGN of a whole range.
                        kinds["unknown"] += 1
                        assert "hits" in label or "accuracy" in label, where
    assert kinds[VALIDATION] >= 10 and kinds["stops"] >= 5, kinds
    assert kinds[EPOCHS] == kinds[TRAIN], kinds


def is_number(value: object) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool)
