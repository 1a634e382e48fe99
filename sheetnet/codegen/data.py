"""The rows of a script: in it where they are few, else in a CSV file beside it.

They are raw, as on ``Data``; the script itself codes classes and scales.
"""

from __future__ import annotations

import csv
import io

from sheetnet.codegen.writer import Writer, listed, literal, quoted, renamed
from sheetnet.concepts.scaling import Scaling
from sheetnet.data import Table
from sheetnet.output import tame
from sheetnet.problem import Problem

INLINE_ROWS, INLINE_CELLS, INLINE_LETTERS = 60, 500, 10_000
"""A script holds up to so many rows, cells and letters of labels itself."""


def fits_inline(table: Table) -> bool:
    """Whether the rows are few enough to stand in the script."""
    cells = table.rows * (len(table.input_names) + len(table.target_names))
    letters = sum(len(label) for label in table.labels or () if isinstance(label, str))
    return table.rows <= INLINE_ROWS and cells <= INLINE_CELLS and letters <= INLINE_LETTERS


def _rows(table: Table) -> list[list[object]]:
    """The cells of each row: its inputs, then its targets or its label."""
    if table.labels is not None:
        goals: list[list[object]] = [[label] for label in table.labels]
    else:
        assert table.targets is not None
        goals = table.targets.tolist()
    return [[*x, *y] for x, y in zip(table.inputs.tolist(), goals, strict=True)]


def csv_text(problem: Problem) -> str:
    """The rows as a CSV file with a header; numbers keep all digits.

    Nothing in it becomes a formula where somebody opens it in a spreadsheet: labels that
    would are numbers of their classes, from 0, see :func:`_numbered`.
    """
    table, file = problem.table, io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([tame(name) for name in (*table.input_names, *table.target_names)])
    numbers = {str(label): n for n, label in enumerate(problem.classes or ())}
    numbered = _numbered(problem)
    for row in _rows(table):
        if numbered:
            row[-1] = numbers[str(row[-1])]
        writer.writerow([repr(cell) if isinstance(cell, float) else cell for cell in row])
    return file.getvalue()


def _numbered(problem: Problem) -> bool:
    """Whether a label would be a formula in a CSV file: the script has their names then."""
    return any(isinstance(label, str) and tame(label) != label for label in problem.classes or ())


def put_functions(out: Writer, problem: Problem) -> None:
    """The scalings that the data need."""
    scalings = {s.scaling.name: s.scaling for s in (problem.inputs, problem.targets)}
    for scaling in scalings.values():
        if scaling.statistics:
            _put_scaling(out, scaling)


def _put_scaling(out: Writer, scaling: Scaling) -> None:
    lines = ["x = values[:rows]"]
    lines += [f"{s.name} = {s.code}" for s in scaling.statistics]
    lines.append(f"return {renamed(scaling.code, {'x': 'values'})}")
    doc = f"{scaling.maths} for each column, with the numbers of the training rows."
    out.function(scaling.name, ["values"], doc, "\n".join(lines))


def put_data(out: Writer, problem: Problem, data_file: str | None) -> None:
    """The rows, raw, and what the network sees of them: ``X`` and ``Y``."""
    table, count = problem.table, len(problem.table.input_names)
    out.title("Data")
    targets = f"{'targets' if len(table.target_names) > 1 else 'target'}"
    out.note(
        f"From {quoted(problem.spec.data.source)}. In each row first the inputs: "
        f"{listed(table.input_names)}; then the {targets}: {listed(table.target_names)}."
    )
    if data_file is None:
        out.line("data = [")
        out.depth += 1
        for row in _rows(table):
            out.items("(", map(literal, row), "),")
        out.depth -= 1
        out.line("]")
        inputs, targets = f"[row[:{count}] for row in data]", f"[row[{count}:] for row in data]"
        label = f"row[{count}]"
    else:
        out.items("source = Path(__file__).with_name(", [literal(data_file)], ")")
        with out.block('with source.open(encoding="utf-8", newline="") as file:'):
            out.line("data = list(csv.reader(file))[1:]", "without the column names")
        inputs = f"[[float(cell) for cell in row[:{count}]] for row in data]"
        targets = f"[[float(cell) for cell in row[{count}:]] for row in data]"
        numeric = problem.classes is not None and not isinstance(problem.classes[0], str)
        label = f"float(row[{count}])" if numeric else f"row[{count}]"
        if _numbered(problem):
            _put_classes(out, problem)
            label = f"classes[int(row[{count}])]"
    _put_counts(out, problem)
    out.line(f"X = np.array({inputs})")
    if problem.classes is None:
        out.line(f"Y = np.array({targets})")
    else:
        out.line(f"labels = [{label} for row in data]")
        _put_coding(out, problem, named=data_file is not None and _numbered(problem))
    for name, scaled in (("X", problem.inputs), ("Y", problem.targets)):
        if scaled.scaling.statistics:
            out.line(f"{name} = {scaled.scaling.name}({name})")


def _put_counts(out: Writer, problem: Problem) -> None:
    if problem.held_out:
        out.line(
            f"held_out = {problem.held_out}",
            "the last rows, drawn from the seed, are for validation only",
        )
        out.line("rows = len(data) - held_out")
    else:
        out.line("rows = len(data)")


def _put_classes(out: Writer, problem: Problem) -> None:
    assert problem.classes is not None
    out.items("classes = [", map(literal, problem.classes), "]")


def _put_coding(out: Writer, problem: Problem, *, named: bool) -> None:
    """Classes as numbers: 0 or 1 on one output, else an output for each.

    ``named``: the script has named them already.
    """
    classes, labels = problem.classes, problem.table.labels
    assert classes is not None and labels is not None
    in_order = sorted(set(labels), key=lambda label: (isinstance(label, str), label))
    if not named and list(classes) == in_order:
        out.line("classes = sorted(set(labels))", listed(classes))
    elif not named:
        _put_classes(out, problem)
    if problem.network.outputs == 1:
        coded, note = "classes[1:]", "0 for the first class, 1 for the second"
    else:
        coded, note = "classes", "1 in the column of its class, else 0"
    out.line(f"Y = np.array([[float(label == c) for c in {coded}] for label in labels])", note)
