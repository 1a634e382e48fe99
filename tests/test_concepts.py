"""Every record of the tables: its NumPy form against its cell form, on real engines.

All cell forms stand in one workbook, a case a row, so a new record needs no line here.
The mathematics behind the forms is in test_concepts_maths.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import ironcalc
import numpy as np
import openpyxl
import pytest
from bench import Bench
from stage_cases import put_batches_and_clipping, put_dropout, put_optimizers

from sheetnet.concepts import arithmetic, cells
from sheetnet.concepts.activations import ACTIVATIONS, Activation
from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.cells import Cells
from sheetnet.concepts.losses import LOSSES, Loss
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.concepts.scaling import SCALINGS
from sheetnet.recalc.libreoffice import convert
from sheetnet.regions import letter

SIZES = (1, 3, 10)
"""Units; sums of more than 8 terms are SUM and SUMPRODUCT instead of plus signs."""

# ±5.5e-17 is what sums such as 0.1 + 0.2 − 0.3 leave: engines that compare with a
# tolerance take it for 0.
EDGES = (0.0, -0.0, 36.0, -36.0, 800.0, -800.0, 1e-300, -1e-300, 5.5e-17, -5.5e-17, 0.5, -2.25)


def rows_of_z(size: int, count: int) -> list[Array]:
    """Edge cases turning through all places, ties, random ones."""
    random = np.random.default_rng(size)
    n = len(EDGES)
    rows = [np.array([EDGES[(start + j) % n] for j in range(size)]) for start in range(n)]
    rows += [np.full(size, value) for value in (0.0, 1.5, -800.0, 800.0)]
    rows += [np.round(scale * random.standard_normal(size), 6) for scale in [3.0] * count + [300.0]]
    return rows


def forward(
    bench: Bench, activation: Activation, z: Array
) -> tuple[dict[str, Array], dict[str, Cells]]:
    """Put z and all parts up to a; return the quantities and their references."""
    q, refs = {"z": z}, {"z": bench.numbers(z)}
    for part in activation.parts:
        q[part.name] = part.value(q)
        columns = range(len(z) if part.per_unit else 1)
        refs[part.name] = bench.formulas([part.cell(refs, j) for j in columns], q[part.name])
    return q, refs


def put_activation(bench: Bench, activation: Activation) -> None:
    random = np.random.default_rng(7)
    for z in (z for size in SIZES for z in rows_of_z(size, 20)):
        bench.new_row(f"activation.{activation.name}")
        q, refs = forward(bench, activation, z)
        units = range(len(z))
        if activation.slope is not None:
            cell = activation.slope_cell
            assert cell is not None
            texts = [cell(refs["z"][j], refs["a"][j]) or "1" for j in units]
            bench.formulas(texts, activation.slope(z, q["a"]))
        if activation.back is not None:
            assert activation.back_cell is not None
            g = np.round(random.standard_normal(len(z)), 6)
            g_refs = bench.numbers(g)
            texts = [activation.back_cell(g_refs, refs["a"], k) for k in units]
            bench.formulas(texts, activation.back(g, q["a"]))


def targets(loss: Loss, size: int, n: int) -> Array:
    """Targets that the loss allows: every third row a class, the others between."""
    one, other = np.eye(size)[n % size], np.eye(size)[(n + 1) % size]
    if loss.targets == "shares":
        return one if n % 3 == 0 else 0.75 * one + 0.25 * other
    random = np.random.default_rng([size, n])
    if n % 3 == 0:
        return random.integers(0, 2, size).astype(float)
    y = np.round(random.uniform(0, 1, size), 6)
    return y if loss.targets == "unit" else np.round(4 * y - 2, 6)


def put_loss(bench: Bench, loss: Loss) -> None:
    fitting = [a for a in ACTIVATIONS.values() if loss.suits(a.name)]
    for activation in fitting:
        for size in (1, 2, 10):
            units = range(size)
            for n, z in enumerate(rows_of_z(size, 10)):
                bench.new_row(f"loss.{loss.name}")
                q, refs = forward(bench, activation, z)
                q["y"] = targets(loss, size, n)
                refs["y"] = bench.numbers(q["y"])
                value = loss.value(q)
                # However saturated the prediction, the loss is a number.
                assert np.isfinite(value), f"{loss.name} of z = {z}, y = {q['y']}"
                bench.formulas([loss.cell(refs)], value)
                if loss.slope is not None:
                    assert loss.slope_cell is not None
                    bench.formulas([loss.slope_cell(refs, k) for k in units], loss.slope(q))
                closed = loss.deltas.get(activation.name)
                if closed is not None:
                    bench.formulas([closed.cell(refs, k) for k in units], closed.value(q))


COLUMNS: Mapping[str, list[float]] = {
    "random": np.round(np.random.default_rng(9).normal(3, 20, 25), 6).tolist(),
    "far off": [1e6 + round(0.001 * i * i, 3) for i in range(12)],
    "constant": [0.1] * 10,
    "constant, large": [1234.56789] * 7,
    "one row": [0.3],
    "two rows": [-1.5, 1e-9],
    "zeros": [0.0, -0.0, 0.0],
    # Masses of particles in kg: engines that compare with a tolerance take them for equal.
    "tiny": [9.109e-31, 1.6726e-27, 1.6749e-27],
}
"""Columns of raw data."""


def put_scalings(bench: Bench) -> None:
    sheet = bench.book.create_sheet("Columns")
    for c, values in enumerate(COLUMNS.values(), 1):
        for r, value in enumerate(values, 1):
            assert float(f"{value:.15g}") == value
            sheet.cell(r, c).value = value
        raw, col = np.array(values), f"Columns!{letter(c)}"
        for scaling in SCALINGS.values():
            bench.new_row(f"scaling.{scaling.name}")
            known: dict[str, float] = {}
            refs: dict[str, str] = {}
            for statistic in scaling.statistics:
                text = statistic.cell(f"{col}1:{letter(c)}{len(raw)}", refs)
                value = statistic.value(raw, known)
                refs[statistic.name] = bench.formulas([text], [value])[0]
                known[statistic.name] = value
            texts = [scaling.cell(f"{col}{r}", refs) for r in range(1, len(raw) + 1)]
            bench.formulas(texts, scaling.value(raw, known))


def put_sums(bench: Bench) -> None:
    for size in SIZES:
        random = np.random.default_rng(size)
        for _ in range(10):
            bench.new_row("sums")
            b, w, x = (np.round(random.normal(0, 2, n), 6) for n in (1, size, size))
            b_ref, w_refs, x_refs = (bench.numbers(values) for values in (b, w, x))
            total = arithmetic.weighted_sum(b, w[None, :], x)
            bench.formulas([cells.weighted_sum(b_ref[0], w_refs, x_refs)], total)
            bench.formulas([cells.dot(w_refs, x_refs)], arithmetic.running_sum(w * x))
            bench.formulas([cells.total(w_refs)], arithmetic.running_sum(w))
            products = [f"{d}*{v}" for d, v in zip(w_refs, x_refs, strict=True)]
            bench.formulas([cells.written_sum(products)], arithmetic.back_sum(w, x[:, None]))


TOPICS = (
    *(f"activation.{name}" for name in ACTIVATIONS),
    *(f"loss.{name}" for name in LOSSES),
    *(f"optimizer.{name}" for name in OPTIMIZERS),
    *(f"scaling.{name}" for name in SCALINGS),
    "batches",
    "clipping",
    "dropout",
    "sums",
)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, Path]:
    """All cases, and the file that holds them."""
    bench = Bench()
    for activation in ACTIVATIONS.values():
        put_activation(bench, activation)
    for loss in LOSSES.values():
        put_loss(bench, loss)
    put_optimizers(bench, EDGES)
    put_batches_and_clipping(bench, EDGES, SIZES)
    put_dropout(bench)
    put_scalings(bench)
    put_sums(bench)
    path = tmp_path_factory.mktemp("concepts") / "cases.xlsx"
    bench.book.save(path)
    return bench, path


Cell = Callable[[int, int], float | str]


@pytest.fixture(scope="module")
def by_ironcalc(saved: tuple[Bench, Path]) -> Cell:
    model = ironcalc.load_from_xlsx(str(saved[1]), "en", "UTC")
    model.evaluate()
    return lambda row, column: model.get_cell_value(0, row, column)


@pytest.fixture(scope="module")
def by_libreoffice(saved: tuple[Bench, Path], tmp_path_factory: pytest.TempPathFactory) -> Cell:
    path = convert(saved[1], tmp_path_factory.mktemp("libreoffice"), "xlsx")
    sheet = openpyxl.load_workbook(path, data_only=True)["Cases"]
    return lambda row, column: sheet.cell(row, column).value


def differing(bench: Bench, topic: str, cell: Cell, agree: Callable[[float, float], bool]) -> str:
    """The cells of a topic that do not agree with Python: the first ones in words."""
    found = []
    for row, column, wanted in bench.expected[topic]:
        value = cell(row, column)
        fine = math.isnan(wanted) if isinstance(value, str) else agree(value, wanted)
        if not fine:
            text = bench.sheet.cell(row, column).value
            found.append(f"{letter(column)}{row} {text}: sheet {value!r}, NumPy {wanted!r}")
    return "\n".join([f"{len(found)} of {len(bench.expected[topic])} cells differ", *found[:5]])


@pytest.mark.parametrize("topic", TOPICS)
def test_ironcalc_gives_the_bits_of_numpy(
    topic: str, saved: tuple[Bench, Path], by_ironcalc: Cell
) -> None:
    said = differing(saved[0], topic, by_ironcalc, lambda value, wanted: value == wanted)
    assert said.startswith("0 of"), said


@pytest.mark.libreoffice
@pytest.mark.parametrize("topic", TOPICS)
def test_libreoffice_agrees_with_numpy(
    topic: str, saved: tuple[Bench, Path], by_libreoffice: Cell
) -> None:
    def close(value: float, wanted: float) -> bool:
        return math.isclose(value, wanted, rel_tol=1e-12, abs_tol=1e-12)

    said = differing(saved[0], topic, by_libreoffice, close)
    assert said.startswith("0 of"), said
