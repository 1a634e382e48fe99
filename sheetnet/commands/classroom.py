"""The commands for a class: exercises out, hand-ins graded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sheetnet.commands.progress import progress_bar

_PATH = click.Path(path_type=Path)
_SHOWN = "gradients,updates"


@click.command()
@click.argument("spec", type=_PATH)
@click.option(
    "-o",
    "--output",
    type=_PATH,
    help="The workbook [default: the spec's name and _exercise.xlsx or _bugs.xlsx].",
)
@click.option(
    "--blank",
    metavar="NAME,NAME,…",
    help="What is left blank: forward, loss, deltas, gradients, batch, clipping, optimizer, "
    f"updates, weights; or a quantity (dW1) or a column (dW1[2,1]) [default: {_SHOWN}].",
)
@click.option(
    "--visits", metavar="1:3,7", help="In which visits; 1:3 means 1, 2 and 3 [default: 1:3]."
)
@click.option(
    "--digits",
    type=click.IntRange(2, 6),
    help="Significant digits that count, the last of which may be one off [default: 4].",
)
@click.option(
    "--bugs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Write a bug hunt instead: a workbook with N faults to be found.",
)
@click.option("--key", type=_PATH, metavar="FILE", help="Where the faults are told.")
@click.option("--seed", type=click.IntRange(min=0), help="Of the faults [default: 0].")
@click.option("--force", is_flag=True, help="Replace files that exist.")
def exercise(
    spec: Path,
    output: Path | None,
    bugs: int | None,
    key: Path | None,
    seed: int | None,
    force: bool,
    **options: Any,
) -> None:
    """Write SPEC (TOML) as an exercise: blank cells, and a check beside each.

    A check turns green when the right number, or a formula for it, is typed. Neither the
    right numbers nor their formulas stand in the file. With --bugs it is a bug hunt.
    """
    if bugs is None:
        _needs("--bugs", {"--key": key, "--seed": seed})
        _blank(spec, output or _beside(spec, "exercise"), force, options)
    else:
        for name, value in options.items():
            if value is not None:
                raise click.UsageError(f"--{name} does not go with --bugs")
        _bug_hunt(spec, output or _beside(spec, "bugs"), force, bugs, key, seed or 0)


def _beside(spec: Path, what: str) -> Path:
    return Path(f"{spec.stem}_{what}.xlsx")


def _needs(needed: str, given: dict[str, object]) -> None:
    for name, value in given.items():
        if value is not None:
            raise click.UsageError(f"{name} needs {needed}")


def _blank(spec: Path, output: Path, force: bool, options: dict[str, Any]) -> None:
    import sheetnet

    given = {name: value for name, value in options.items() if value is not None}
    made = sheetnet.exercise(sheetnet.load_spec(spec), output, overwrite=force, **given)
    asked = made.exercise
    click.echo(
        f"{made.path}: {len(asked.cells):,} cells to fill in ({len(asked.labels):,} columns, "
        f"{len(asked.visits):,} visits)"
    )
    if made.stopping:
        click.echo("Early stopping is left out: an exercise looks at single visits.")


def _bug_hunt(
    spec: Path, output: Path, force: bool, bugs: int, key: Path | None, seed: int
) -> None:
    import sheetnet
    from sheetnet.classroom.bugs import write_bug_hunt

    made = write_bug_hunt(
        sheetnet.load_spec(spec), output, bugs=bugs, seed=seed, key=key, overwrite=force
    )
    faults = len(made.faults)
    click.echo(f"{made.path}: {faults} fault{'s' if faults != 1 else ''} to find; key: {made.key}")


@click.command()
@click.argument("sheets", type=_PATH, nargs=-1, required=True, metavar="SHEET.xlsx…")
@click.option(
    "--exercise",
    "handed_out",
    type=_PATH,
    metavar="FILE",
    help="The workbook that was handed out: hand-ins are judged by it, changes are named.",
)
@click.option("--spec", type=_PATH, metavar="TOML", help="The spec that it was made from.")
@click.option("--csv", "csv_file", type=_PATH, metavar="FILE", help="Write the table as CSV, too.")
@click.option("--force", is_flag=True, help="Replace that file if it exists.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Files side by side [default: one for each core]."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds for one file.",
)
def grade(
    sheets: tuple[Path, ...],
    handed_out: Path | None,
    spec: Path | None,
    csv_file: Path | None,
    force: bool,
    as_json: bool,
    jobs: int | None,
    timeout: float,
) -> int:
    """Grade filled-in exercises: files, or folders of them.

    Each cell that was asked is right, wrong, missing, or hard-coded: a number, or a formula
    that does not follow when inputs change. What follows from a wrong cell is right. Exit
    status: 0 graded, whatever the answers; 2 no file could be.
    """
    import sheetnet
    from sheetnet.output import check_target, write_text

    if handed_out is not None and spec is not None:
        raise click.UsageError("--exercise and --spec: one of them only")
    if csv_file is not None:
        check_target(csv_file, overwrite=force, read=[*filter(None, (handed_out, spec)), *sheets])
    elif force:
        raise click.UsageError("--force needs --csv")
    with progress_bar("grading") as progress:
        grading = sheetnet.grade(
            sheets,
            exercise=handed_out,
            spec=spec,
            jobs=jobs,
            timeout=timeout,
            progress=progress,
        )
    click.echo(grading.to_json() if as_json else grading.to_text())
    if csv_file is not None:
        write_text(csv_file, grading.to_csv(), overwrite=force)
        click.echo(f"{csv_file}: the table as CSV", err=as_json)
    if not grading.graded:
        raise sheetnet.SheetnetError(f"none of {len(grading.files)} files could be graded")
    return 0
