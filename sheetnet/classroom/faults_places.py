"""Mistakes of references: slipped, empty, without dollar signs, ranges too short; pasted values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from sheetnet.classroom.kinds import (
    SOME,
    Case,
    Content,
    Kind,
    all_rows,
    choices,
    first_row,
    one_row,
    put,
    some_rows,
)
from sheetnet.concepts.optimizers import LEARNING_RATE
from sheetnet.formula import Formula, Step
from sheetnet.layout import CONFIG_INPUT_ROW, CONFIG_VALUE
from sheetnet.regions import CONFIG, DATA, EPOCHS, INIT, address, letter

_REF = re.compile(r"(?:\{\$\})?[A-Z]{1,3}\{r\}")
_LOOK_UP = re.compile(r"([A-Z]{1,3})\$(\d+):([A-Z]{1,3})\$(\d+)")
_RANGE = re.compile(r"([A-Z]{1,3})(\d+):([A-Z]{1,3})(\d+)")

_COMPUTED = ("forward", "backward", "gradient", "state", "update")
"""Kinds of columns whose formulas read others of their row."""

_EMPTY_ROWS = 2
"""Rows of ``Config`` without a number between its inputs and what is fixed."""


def _row_above(text: str, case: Case) -> Sequence[str]:
    """One of the references, one row too high."""
    if case.column.block.kind not in _COMPUTED:
        return ()
    return [put(text, ref, ref.replace("{r}", "{p}")) for ref in _REF.findall(text)]


def _next_column(text: str, case: Case) -> Sequence[str]:
    """One of the references, one column too far: to the next of the same quantity."""
    if case.column.block.kind not in _COMPUTED:
        return ()
    found = []
    for ref in _REF.findall(text):
        name, after = case.setting.after.get(ref, ("", ""))
        if (
            after and name != case.column.block.name
        ):  # of its own the next may be the formula itself
            found.append(put(text, ref, after))
    return found


def _without_dollars(case: Case) -> Sequence[Content]:
    """A look-up whose range moves down with the row."""
    if case.column.block.kind not in ("input", "target"):
        return ()
    formula, first = case.column.formula, case.rows[0]
    found = _LOOK_UP.search(formula.rest)
    if found is None:
        return ()
    text = formula.rest.replace(found[0], f"{found[1]}{{a}}:{found[3]}{{z}}")
    steps = [
        Step(key, int(row) - first, 1, 1) for key, row in (("{a}", found[2]), ("{z}", found[4]))
    ]
    return (Formula(text, text, steps=(*formula.steps, *steps)),)


def _slipping_rate(case: Case) -> Sequence[Content]:
    """The learning rate by its cell, which moves down with the row."""
    if case.column.block.kind != "update":
        return ()
    names = [h.name for h in case.setting.problem.changeable]
    at, (first, last) = names.index(LEARNING_RATE.name), case.rows
    if last - first >= len(names) - at + _EMPTY_ROWS:  # below them stand texts
        return ()
    formula = case.column.formula
    cell = f"{CONFIG}!{letter(CONFIG_VALUE)}{{q}}"
    text = re.sub(rf"\b{LEARNING_RATE.name}\b", cell, formula.rest)
    step = Step("{q}", CONFIG_INPUT_ROW + at - first, 1, 1)
    return (replace(formula, first=text, rest=text, steps=(*formula.steps, step)),)


def _empty_start(case: Case) -> Sequence[Content]:
    """The first weight from the empty cell below the matrix on Init."""
    if case.column.block.kind not in ("weight", "bias"):
        return ()
    layer, init = case.layer, case.setting.layout.init
    region = init.weights(layer) if case.column.block.kind == "weight" else init.bias(layer)
    at = region.column + case.column.position % region.columns
    return (replace(case.column.formula, first=f"{INIT}!{address(region.last_row + 1, at)}"),)


def _pasted(case: Case) -> Sequence[Content]:
    """The number that stood a row higher, as it was shown."""
    if case.column.block.kind not in _COMPUTED:
        return ()
    number = case.setting.matrix[
        case.rows[0] - 1, case.column.column - case.setting.layout.train.column
    ]
    return (float(f"{number:.4g}"),)


def _range_too_short(case: Case) -> Sequence[Content]:
    """The last row of a range is missing: in what an epoch came to, in means on Data."""
    formula = case.column.formula
    if case.column.sheet == EPOCHS:
        ends = {key for key in ("{z}", "{d}") if re.search(rf":[A-Z]+{key}", formula.rest)}
        steps = tuple(
            replace(step, base=step.base - 1) if isinstance(step, Step) and step.key in ends
            else step
            for step in formula.steps
        )  # fmt: skip
        each = case.setting.problem.held_out if "{d}" in ends else case.setting.problem.rows
        return (replace(formula, steps=steps),) if ends and each > 1 else ()
    if case.column.block.kind != "statistic":
        return ()
    found = _RANGE.search(formula.rest)
    if found is None or int(found[4]) - int(found[2]) < 2:
        return ()
    short = f"{found[1]}{found[2]}:{found[3]}{int(found[4]) - 1}"
    text = formula.rest.replace(found[0], short)
    return (replace(formula, first=text, rest=text),)


PLACES = (
    Kind(
        "row_above",
        "A reference has slipped into the row above",
        "In a few rows one reference is one row too high: it takes the number of the visit before.",
        choices(_row_above),
        some_rows(SOME),
    ),
    Kind(
        "next_column",
        "A reference has slipped into the next column",
        "In a few rows one reference is one column too far, as when a formula is copied from "
        "the column beside it.",
        choices(_next_column),
        some_rows(SOME),
    ),
    Kind(
        "dollars_lost",
        "An absolute reference has become relative",
        "The dollar signs of the range on Data are gone: filled down, the range moves down row "
        "by row, and the sample is looked up too far below, at last among empty cells.",
        _without_dollars,
        some_rows(SOME),
    ),
    Kind(
        "learning_rate_slips",
        "The learning rate is read from a cell that moves",
        "The learning rate is taken from its cell on Config without dollar signs: filled down, "
        "the reference moves on to what stands below it; an empty cell counts as 0, a step of "
        "no length.",
        _slipping_rate,
        some_rows(5),
        wide=True,
    ),
    Kind(
        "empty_cell",
        "The first weight is read from an empty cell",
        "The reference to Init is one row too low and meets the empty cell below the matrix: "
        "the weight starts at 0.",
        _empty_start,
        first_row,
    ),
    Kind(
        "pasted_value",
        "A number has been pasted over a formula",
        "The cell holds a number, that of the row above as it was shown: it no longer follows "
        "from its row.",
        _pasted,
        one_row,
    ),
    Kind(
        "range_too_short",
        "A range stops one row short",
        "The last row of the range is missing from the mean.",
        _range_too_short,
        all_rows,
        sheets=(DATA, EPOCHS),
    ),
)
