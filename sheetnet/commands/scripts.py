"""The command ``sheetnet code``: parse, call, report."""

from __future__ import annotations

from pathlib import Path

import click

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("spec", type=_PATH, metavar="SPEC_OR_BOOK")
@click.option("-o", "--output", type=_PATH, help="The script [default: printed].")
@click.option(
    "--framework",
    type=click.Choice(["numpy", "torch"]),
    default="numpy",
    show_default=True,
    help="What it is written in.",
)
@click.option("--force", is_flag=True, help="Replace the script and its data if they exist.")
def code(spec: Path, output: Path | None, framework: str, force: bool) -> None:
    """Write a spec (TOML) or a workbook as a standalone script that repeats the training.

    In NumPy its numbers are the same to the last bit. A few rows of data stand in the
    script; many are written beside it as CSV, which needs -o.
    """
    from sheetnet import codegen
    from sheetnet.commands.sources import load
    from sheetnet.origin import problem_of, remarks_of

    source = load(spec)
    problem, remarks = problem_of(source), remarks_of(source)
    if output is None:
        # Bytes: Python reads its source as UTF-8, whatever the terminal's letters are.
        click.echo(codegen.script(problem, framework, remarks=remarks).encode(), nl=False)
        return
    _, data_file = codegen.write_script(
        problem, output, framework, overwrite=force, remarks=remarks
    )
    beside = f", its data in {data_file}" if data_file is not None else ""
    click.echo(f"{output}: {problem.network.label}, in {framework}{beside}")
