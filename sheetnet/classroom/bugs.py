"""Bug hunts: a workbook with faults that people really make, and the key to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sheetnet.classroom.kinds import Kind
from sheetnet.classroom.rewriting import range_of, with_edits, with_values
from sheetnet.classroom.seeding import Hunt, Seeded
from sheetnet.classroom.table import KINDS
from sheetnet.errors import LimitError, OutputError
from sheetnet.layout import layout_of
from sheetnet.output import check_target, write_files
from sheetnet.owned import scratch_folder
from sheetnet.problem import Problem, load_problem
from sheetnet.reader.package import open_package
from sheetnet.recalc import recalculate
from sheetnet.regions import COMPARE, EPOCHS, TRAIN
from sheetnet.sheets import sheets_of
from sheetnet.spec import Spec
from sheetnet.values import count
from sheetnet.values import seed as checked_seed


@dataclass(frozen=True)
class Fault:
    """One fault of a hunt.

    Attributes
    ----------
    kind: its name in :data:`~sheetnet.classroom.table.KINDS`; title: the same in words.
    sheet, cells: where; ``D5:F9`` or several ranges, separated by a comma.
    visits: the first and the last visit (from 1) that it touches; None on Data.
    quantity: a column's plain name (``delta1[2]``), or that of all columns (``delta1``).
    first: the cell whose formula is shown; right, wrong: that formula as it should be and
        as it is, with ``=``; a number where one was pasted.
    shows: the first cell in which a number differs; value, right_value: what it shows, and
        what the right formula makes of the same inputs.
    explanation: what was done and what comes of it, for the teacher.

    """

    kind: str
    title: str
    sheet: str
    cells: str
    visits: tuple[int, int] | None
    quantity: str
    first: str
    right: str
    wrong: str
    shows: str
    value: float
    right_value: float
    explanation: str


@dataclass(frozen=True)
class BugHunt:
    """What was written: the workbook, the file of its key, the faults, the seed they come from."""

    path: Path
    key: Path
    faults: tuple[Fault, ...]
    seed: int


def write_bug_hunt(
    spec: Spec,
    output: str | Path,
    bugs: int = 3,
    seed: int | None = None,
    key: str | Path | None = None,
    overwrite: bool = False,
) -> BugHunt:
    """Write the workbook of a spec with so many faults in its formulas, and the key to them.

    Each fault is of another kind, in columns of its own, and changes numbers that people
    can see; the values in the file are those that the wrong formulas give. The workbook has
    all sheets that apply but ``Compare``, whose numbers are the right ones, and ``Step``
    without its comparison. ``seed`` draws the faults (None: the spec's); the same spec and
    seed give the same files. ``key`` is by default beside ``output``: ``hunt_key.md``.

    Raises :class:`SpecError`, :class:`LimitError` where there are not so many faults, or
    :class:`OutputError`; both files are written or none.
    """
    return write_kinds(spec, output, tuple(KINDS.values()), bugs, seed, key, overwrite)


def write_kinds(
    spec: Spec,
    output: str | Path,
    kinds: Sequence[Kind],
    bugs: int,
    seed: int | None = None,
    key: str | Path | None = None,
    overwrite: bool = False,
    sheets: Sequence[str] | None = None,
) -> BugHunt:
    """Write a hunt with faults of these kinds only; see :func:`write_bug_hunt`.

    ``sheets`` names those that it has beside what training needs (None: all but ``Compare``).
    """
    path = Path(output)
    key_path = path.with_name(f"{path.stem}_key.md") if key is None else Path(key)
    seed = checked_seed("seed", spec.training.seed if seed is None else seed)
    if count("bugs", bugs) > len(kinds):
        raise LimitError(f"bugs is {bugs}: there are {len(kinds)} kinds of faults")
    for target in (path, key_path):
        check_target(target, overwrite=overwrite, read=spec.files)
    if path.resolve() == key_path.resolve():
        raise OutputError(f"{path} cannot be both the workbook and its key")
    problem = load_problem(spec)
    if len(layout_of(problem, ()).on_sheets.sheets) > 1:
        raise LimitError(
            f"the ledger of the network {problem.network.brief} does not fit on one sheet, but a "
            "bug hunt has only one: use fewer units or inputs"
        )
    with scratch_folder() as folder:
        book, found, text = _hunt(problem, path.name, kinds, bugs, seed, sheets, folder)
    write_files({path: book, key_path: text.encode()}, overwrite=overwrite)
    return BugHunt(path, key_path, found, seed)


def _hunt(
    problem: Problem,
    name: str,
    kinds: Sequence[Kind],
    bugs: int,
    seed: int,
    sheets: Sequence[str] | None,
    folder: Path,
) -> tuple[bytes, tuple[Fault, ...], str]:
    """The workbook's bytes, its faults, the text of its key."""
    from sheetnet.classroom.key import key_text
    from sheetnet.verification import verify
    from sheetnet.workbook.export import export

    # Faults may stand on Epochs; Compare holds the right numbers.
    asked = None if sheets is None else [*sheets, EPOCHS]
    titles = [title for title in sheets_of(problem.network, asked) if title != COMPARE]
    right, wrong, target = (folder / f"{name}.xlsx" for name in ("right", "wrong", "hunt"))
    export(problem, right, sheets=[EPOCHS], bugs=bugs)
    hunt = Hunt(problem, layout_of(problem, [EPOCHS], bugs), right)
    seeded = hunt.seed(kinds, bugs, seed)
    export(problem, right, sheets=titles, bugs=bugs)
    with_edits(right, wrong, [edit for each in seeded for edit in each.edits])
    with recalculate(open_package(wrong), "ironcalc") as values:
        with_values(wrong, target, values)
    found = sorted((_fault(each, problem.rows) for each in seeded), key=_order)
    text = key_text(problem, name, seed, found, verify(target))
    return target.read_bytes(), tuple(found), text


def _fault(seeded: Seeded, rows: int) -> Fault:
    edits, column, seen = seeded.edits, seeded.column, seeded.seen
    edit = edits[0]
    visits = None
    if column.sheet == TRAIN:
        visits = edit.first + 1, edit.last + 1
    elif column.sheet == EPOCHS:
        visits = edit.first * rows + 1, (edit.last + 1) * rows
    names = [each.column.label for each in edits]
    whole = len(names) == column.block.size
    return Fault(
        kind=seeded.kind.name,
        title=seeded.kind.title,
        sheet=column.sheet,
        cells=range_of(edits),
        visits=visits,
        quantity=column.block.name if whole else ", ".join(names),
        first=column.address(edit.first),
        right=replace(edit, content=column.formula).text(edit.first),
        wrong=edit.text(edit.first),
        shows=seen.edit.column.address(seen.offset),
        value=seen.number,
        right_value=seen.right,
        explanation=seeded.kind.told,
    )


def _order(fault: Fault) -> tuple[bool, str, int, str]:
    """From left to right, Train first."""
    letters = fault.first.rstrip("0123456789")
    return fault.sheet != TRAIN, fault.sheet, len(letters), letters
