"""The command ``sheetnet export``: parse, call, report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sheetnet.commands.progress import progress_bar

_PATH = click.Path(path_type=Path)

ORIGIN = "SPEC_OR_BOOK"
"""What runs come from: a spec, or a workbook that sheetnet wrote and somebody edited."""


@click.command()
@click.argument("origin", type=_PATH, metavar=ORIGIN)
@click.option(
    "-o",
    "--output",
    type=_PATH,
    help="The workbook [default: the spec's name, .xlsx; of a workbook its own, _again.xlsx].",
)
@click.option("--force", is_flag=True, help="Replace the workbook if it exists.")
@click.option("--epochs", type=int, help="Override the spec.")
@click.option("--learning-rate", type=float, help="Override the spec.")
@click.option("--seed", type=int, help="Override the spec.")
@click.option("--batch-size", type=int, help="Override the spec.")
@click.option("--rows", type=int, help="Override the spec: use the first N rows.")
@click.option(
    "--sheets",
    metavar="NAME,NAME,…",
    help="The sheets to write [default: all that apply, of a workbook those that it has]; Config, "
    "Data, Init and Train always are.",
)
@click.option(
    "--columns",
    type=click.Choice(["all", "compact"]),
    help="compact: gradients and what follows at once from them are worked into the updates "
    "[default: all, of a workbook as it has].",
)
@click.option("--from-visit", type=int, metavar="K", help="Begin at visit K, from its true state.")
@click.option("--visits", type=int, metavar="N", help="Write N visits only.")
def export(
    origin: Path,
    output: Path | None,
    force: bool,
    sheets: str | None,
    from_visit: int | None,
    visits: int | None,
    columns: str | None,
    **options: Any,
) -> None:
    """Train a spec (TOML), or a workbook as it stands now, and write a live workbook."""
    import sheetnet
    from sheetnet.commands.sources import load
    from sheetnet.package import is_book

    loaded = load(origin, **options)
    target = output or Path(f"{origin.stem}{'_again' if is_book(origin) else ''}.xlsx")
    wanted = None if sheets is None else [name for name in sheets.split(",") if name.strip()]
    with progress_bar("writing") as progress:
        done = sheetnet.export(
            loaded,
            target,
            overwrite=force,
            sheets=wanted,
            from_visit=from_visit,
            visits=visits,
            columns=columns,
            notice=_notice,
            progress=progress,
        )
    click.echo(
        f"{done.path}: {done.visits:,} visits × {done.columns} columns, "
        f"{done.formulas:,} formulas, {_size(done.size)}"
    )
    if done.first_visit is None:
        click.echo(
            f"mean loss {done.first_loss:.6g} in the first epoch, {done.last_loss:.6g} in the last"
        )
    else:
        click.echo(
            f"loss {done.first_loss:.6g} at visit {done.first_visit}, {done.last_loss:.6g} at "
            f"visit {done.first_visit + done.visits - 1}"
        )
    if done.saved:
        cells = done.saved * done.visits
        click.echo(
            f"compact: {done.saved:,} columns fewer, {cells:,} cells, about "
            f"{_size(cells * done.bytes_per_cell)}"
        )
    for reason in done.left_out:
        click.echo(f"Left out: {reason}.")
    say_of_validation(done.best_epoch, done.stopped_after)
    if done.diverged_at is not None:
        click.echo(
            f"The run diverges at visit {done.diverged_at}: from there on numbers are too large "
            "for a sheet, and cells show errors."
        )


def _notice(text: str) -> None:
    click.echo(text, err=True)


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"


def say_of_validation(best_epoch: int | None, stopped_after: int | None) -> None:
    """Which epoch was best, and whether training ended early."""
    if best_epoch is not None:
        click.echo(f"The validation loss is lowest after epoch {best_epoch}.")
    if stopped_after is not None:
        click.echo(f"Training stops early after epoch {stopped_after}: the weights stay.")
