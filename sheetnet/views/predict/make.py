"""The view ``Predict``: formulas from ``tables`` and ``cells``, values from their NumPy forms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sheetnet import engine
from sheetnet.concepts.arithmetic import Array
from sheetnet.layout import Layout
from sheetnet.ledger import Ledger
from sheetnet.problem import Problem
from sheetnet.regions import PREDICT
from sheetnet.views.predict import axes
from sheetnet.views.predict.columns import AT_UPDATE, Column, filled, formulas_of
from sheetnet.views.predict.facts import Facts, Shown, magnitude
from sheetnet.views.predict.panel import panel_cells, visit_of
from sheetnet.views.predict.picture import picture_cells
from sheetnet.views.predict.plan import AT_ROW, CURVE, FIRST, GRID, MAP, Plan
from sheetnet.views.predict.points import points_columns
from sheetnet.views.predict.quality import loss_size, matrix_cells, quality_cells
from sheetnet.views.predict.tables import rows_columns, typed_columns
from sheetnet.views.view import Choice, Chosen, Filled, Source, Table, View


def predict_view(problem: Problem, layout: Layout) -> View:
    """The sheet of a workbook."""
    plan = Plan(problem, layout)
    made = _Made(plan, typed_columns(plan), rows_columns(plan), _points(plan), _cells(plan))
    tables = [
        Table(plan.typed_region, plan.typed, formulas_of(plan.typed, made.typed)),
        Table(plan.rows_region, plan.rows, formulas_of(plan.rows, made.rows)),
    ]
    if plan.points is not None and plan.points_region is not None:
        formulas = formulas_of(plan.points, made.points)
        tables.append(Table(plan.points_region, plan.points, formulas))

    def visits(chosen: Chosen) -> frozenset[int]:
        visit = visit_of(plan, int(chosen[AT_UPDATE]))
        return frozenset({visit} if visit else ())

    return View(
        PREDICT,
        choices_of(plan),
        tuple(tables),
        tuple(shown.live for shown in made.cells),
        visits,
        made.values,
    )


def _points(plan: Plan) -> list[Column]:
    return points_columns(plan) if plan.points is not None else []


def _cells(plan: Plan) -> tuple[Shown, ...]:
    kinds = panel_cells, quality_cells, matrix_cells, picture_cells
    return tuple(cell for kind in kinds for cell in kind(plan))


def typed_name(name: str) -> str:
    """What the cell that an input is typed into is called."""
    return f"{name} typed"


def choices_of(plan: Plan) -> tuple[Choice, ...]:
    """The update whose weights are used, then what is typed: at first the first row."""
    at_update = Choice(
        AT_UPDATE,
        AT_ROW,
        FIRST,
        float(plan.updates),
        "the update whose weights are used; 0: the first weights",
        low=0.0,
        high=float(plan.updates),
        whole=True,
    )
    inputs = zip(plan.problem.table.input_names, plan.problem.inputs.raw[0].tolist(), strict=True)
    typed = (
        Choice(
            typed_name(name), plan.inputs_row + i, FIRST, raw, "in units of the data", defined=False
        )
        for i, (name, raw) in enumerate(inputs, 1)
    )
    return (at_update, *typed)


@dataclass(frozen=True)
class _Made:
    """The columns and cells of a plan, and what they hold."""

    plan: Plan
    typed: list[Column]
    rows: list[Column]
    points: list[Column]
    cells: tuple[Shown, ...]

    def values(self, source: Source, chosen: Chosen) -> Filled:
        """The values of all tables and cells."""
        plan, problem = self.plan, self.plan.problem
        at = int(chosen[AT_UPDATE])
        weights = self._weights(source, at)
        raw = np.array([[chosen[typed_name(name)] for name in problem.table.input_names]])
        starts = self._axes()
        edges = _edges(starts) if plan.picture == MAP else ()
        known: dict[str, Array] = {f"axis {i}": np.array(axis) for i, axis in enumerate(starts)}
        known |= {f"edge {i}": edge for i, edge in enumerate(edges)}
        known |= {"typed": raw, "data x": source.x, "data y": source.y}

        def table(ledger: Ledger, columns: list[Column], rows: int) -> Array:
            spread = {n: np.broadcast_to(w, (rows, *w.shape)) for n, w in weights.items()}
            return filled(ledger, columns, rows, {**known, **spread})

        typed = table(plan.typed, self.typed, 1)
        rows = table(plan.rows, self.rows, plan.rows_region.rows)
        matrices = [typed, rows]
        points: dict[str, Array] = {}
        if plan.points is not None and plan.points_region is not None:
            if plan.picture == MAP:
                known["row cells"] = plan.rows["cell"].view(rows)
            matrices.append(table(plan.points, self.points, plan.points_region.rows))
            points = plan.points.views(matrices[-1])
        facts = Facts(
            at, raw, plan.typed.views(typed), plan.rows.views(rows), points, starts, edges
        )
        with np.errstate(all="ignore"):
            places = [(s.live.row, s.live.column) for s in self.cells]
            cells = {p: s.value(facts) for p, s in zip(places, self.cells, strict=True)}
            sizes = {p: s.size(facts) for p, s in zip(places, self.cells, strict=True) if s.size}
        return Filled(tuple(matrices), cells, sizes, table_sizes=self._sizes(facts))

    def _weights(self, source: Source, at: int) -> dict[str, Array]:
        problem, visit = self.plan.problem, visit_of(self.plan, at)
        if visit == 0:
            return engine.first_weights(problem)
        row = source.train(visit)[None]
        return engine.final_state(problem, self.plan.layout.ledger, row)

    def _axes(self) -> tuple[tuple[float, float], ...]:
        """Start and step of each axis."""
        plan, problem = self.plan, self.plan.problem
        if plan.points is None:
            return ()
        steps = (GRID if plan.picture == MAP else CURVE) - 1
        with np.errstate(all="ignore"):
            return tuple(
                (axes.start(column), axes.step(column, steps))
                for column in problem.inputs.raw[: problem.rows].T
            )

    def _sizes(self, facts: Facts) -> tuple[Array | None, ...]:
        """What differences in the table of one row, and of losses, are measured by."""
        plan = self.plan
        typed = np.zeros(plan.typed.width)
        for block in plan.typed.blocks:
            if block.name in facts.rows:
                numbers = facts.rows[block.name].reshape(plan.rows_region.rows, block.size)
                largest = [magnitude(column) for column in numbers.T]
                typed[block.first : block.first + block.size] = largest
        for block in plan.typed.blocks:
            if block.kind in ("weight", "bias"):
                part = slice(block.first, block.first + block.size)
                typed[part] = magnitude(facts.typed[block.name])
        rows = np.zeros(plan.rows.width)
        rows[plan.rows["loss"].first] = loss_size(plan, facts.rows)
        return (typed, rows, *([None] if plan.points is not None else []))


def _edges(starts: tuple[tuple[float, float], ...]) -> tuple[Array, ...]:
    """The numbers along the map: from the left, and from the top."""
    steps = np.arange(float(GRID))
    with np.errstate(all="ignore"):
        (left, across), (bottom, up) = starts
        return left + steps * across, bottom + steps[::-1] * up
