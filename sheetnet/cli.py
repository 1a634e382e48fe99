"""The command line: parse, call, report; nothing else.

Exit status: 0 fine; 1 workbook and Python disagree; 2 the input is at fault, with one
line on stderr that begins ``Error:``.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import click

from sheetnet import __version__
from sheetnet.errors import SheetnetError


class OneLineErrors(click.Group):
    """A group whose errors are one line on stderr and exit status 2."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command; never ends in a traceback for what the user can mend."""
        extra["standalone_mode"] = False
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                # A terminal that knows few letters gets "?" for the others.
                stream.reconfigure(errors="replace")
        try:
            status = super().main(*args, **extra)
            sys.stdout.flush()
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message())
            status = 0
        except (click.ClickException, SheetnetError) as error:
            text = error.format_message() if isinstance(error, click.ClickException) else str(error)
            status = _complain(text)
        except BrokenPipeError:
            # The reader of our output has gone: nothing is left to say, not even at exit.
            sys.stdout = None
            status = 0
        except OSError as error:
            status = _complain(f"{error.filename or 'system'}: {error.strerror or error}")
        except MemoryError:
            status = _complain("there is not enough memory for this run")
        except (KeyboardInterrupt, click.Abort):
            click.echo("Stopped.", err=True)
            status = 130
        sys.exit(status if isinstance(status, int) else 0)


def _complain(text: str) -> int:
    click.echo(f"Error: {' '.join(text.split())}", err=True)
    return 2


@click.group(
    "sheetnet", cls=OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="sheetnet")
def main() -> None:
    """Train a network in NumPy and open the very same training in a spreadsheet."""


_PATH = click.Path(path_type=Path)


@main.command()
@click.argument("spec", type=_PATH)
@click.option("-o", "--output", type=_PATH, help="The workbook [default: the spec's name, .xlsx].")
@click.option("--force", is_flag=True, help="Replace the workbook if it exists.")
@click.option("--epochs", type=int, help="Override the spec.")
@click.option("--learning-rate", type=float, help="Override the spec.")
@click.option("--seed", type=int, help="Override the spec.")
@click.option("--batch-size", type=int, help="Override the spec.")
@click.option("--rows", type=int, help="Override the spec: use the first N rows.")
def export(spec: Path, output: Path | None, force: bool, **options: Any) -> None:
    """Train SPEC (TOML) and write it as a live workbook."""
    import sheetnet

    loaded = sheetnet.load_spec(spec).override(**options)
    target = output or Path(spec.with_suffix(".xlsx").name)
    done = sheetnet.export(loaded, target, overwrite=force)
    click.echo(
        f"{done.path}: {done.visits:,} visits × {done.columns} columns, "
        f"{done.formulas:,} formulas, {_size(done.size)}"
    )
    click.echo(
        f"mean loss {done.first_loss:.6g} in the first epoch, {done.last_loss:.6g} in the last"
    )
    if done.diverged_at is not None:
        click.echo(
            f"The run diverges at visit {done.diverged_at}: from there on numbers are too large "
            "for a sheet, and cells show errors."
        )


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"


@main.command()
@click.argument("book", type=_PATH)
@click.option(
    "--engine",
    type=click.Choice(["ironcalc", "libreoffice", "saved"]),
    default="ironcalc",
    show_default=True,
    help="What recalculates; saved: the values that Excel or LibreOffice left in the file.",
)
@click.option("--rtol", type=click.FloatRange(min=0), help="Relative tolerance of all values.")
@click.option("--atol", type=click.FloatRange(min=0), help="Tolerance in units of a column's size.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(book: Path, engine: str, rtol: float | None, atol: float | None, as_json: bool) -> int:
    """Recalculate BOOK.xlsx and compare every cell with Python.

    Exit status 0: they agree; 1: they disagree.
    """
    import sheetnet

    report = sheetnet.verify(book, engine, rtol=rtol, atol=atol)
    click.echo(report.to_json() if as_json else report.to_text())
    return 0 if report.agree else 1


@main.command()
@click.argument("spec", type=_PATH)
@click.option("--json", "as_json", is_flag=True, help="Final weights and losses in full precision.")
@click.option("--epochs", type=int, help="Override the spec.")
@click.option("--learning-rate", type=float, help="Override the spec.")
@click.option("--seed", type=int, help="Override the spec.")
@click.option("--batch-size", type=int, help="Override the spec.")
@click.option("--rows", type=int, help="Override the spec: use the first N rows.")
def train(spec: Path, as_json: bool, **options: Any) -> None:
    """Train SPEC (TOML) in Python only and print the loss of each epoch."""
    import sheetnet

    run = sheetnet.train(sheetnet.load_spec(spec).override(**options))
    losses = run.epoch_losses.tolist()
    if as_json:
        click.echo(json.dumps(run.summary(), indent=2, allow_nan=False))
        return
    click.echo(run.problem.network.label)
    click.echo(f"{'epoch':>6}  {'mean loss':>14}")
    shown = _spread(len(losses))
    for epoch in shown:
        click.echo(f"{epoch:>6}  {losses[epoch - 1]:>14.8g}")
    if run.diverged_at is not None:
        click.echo(f"The run diverges at visit {run.diverged_at}.")


def _spread(epochs: int) -> list[int]:
    """All epochs up to 30; of more, 30 spread evenly, the first and the last among them."""
    if epochs <= 30:
        return list(range(1, epochs + 1))
    return sorted({1 + round(i * (epochs - 1) / 29) for i in range(30)})
