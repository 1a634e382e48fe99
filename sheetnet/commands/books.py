"""The commands that look at workbooks side by side with others, or with themselves."""

from __future__ import annotations

from pathlib import Path

import click

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("book", type=_PATH)
@click.option("--sheet", metavar="NAME", help="Look at this sheet only.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def lint(book: Path, sheet: str | None, as_json: bool) -> int:
    """List the cells of any workbook that look wrong beside their neighbours.

    Formulas that break the pattern of their column or row, numbers pasted among formulas,
    formulas that read empty cells or calculate with texts, saved errors. Exit status 0:
    none; 1: some.
    """
    import sheetnet

    report = sheetnet.lint(book, sheet=sheet)
    click.echo(report.to_json() if as_json else report.to_text())
    return 0 if report.clean else 1


@click.command()
@click.argument("a", type=_PATH)
@click.argument("b", type=_PATH)
@click.option(
    "--engine",
    type=click.Choice(["ironcalc", "libreoffice", "saved"]),
    default="ironcalc",
    show_default=True,
    help="What calculates formulas that were typed into input cells.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def diff(a: Path, b: Path, engine: str, as_json: bool) -> int:
    """Compare the inputs of two workbooks, and the trainings they lead to.

    Inputs are taken from the files as they stand now; both trainings are Python's. Exit
    status 0: no difference; 1: they differ.
    """
    import sheetnet

    comparison = sheetnet.diff(a, b, engine)
    click.echo(comparison.to_json() if as_json else comparison.to_text())
    return 0 if comparison.equal else 1
