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
from sheetnet.commands.books import diff, lint
from sheetnet.commands.classroom import exercise, grade
from sheetnet.commands.ending import Ended
from sheetnet.commands.exporting import ORIGIN, export, say_of_validation
from sheetnet.commands.new import new
from sheetnet.commands.progress import progress_bar
from sheetnet.commands.scripts import code
from sheetnet.errors import SheetnetError, SpecError


class OneLineErrors(click.Group):
    """A group whose errors are one line on stderr and exit status 2."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command; never ends in a traceback for what the user can mend."""
        extra["standalone_mode"] = False
        ended = Ended()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                # A terminal that knows few letters gets "?" for the others.
                stream.reconfigure(errors="replace")
        try:
            with ended.by_signal():
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
        except UnicodeEncodeError as error:
            if error.encoding != sys.getfilesystemencoding() or error.encoding == "utf-8":
                raise
            letter = error.object[error.start]
            status = _complain(
                f"the letter {letter!a} cannot be in the name of a file here, where they are "
                f"{error.encoding}: set PYTHONUTF8=1"
            )
        except MemoryError:
            status = _complain("there is not enough memory for this run")
        except (KeyboardInterrupt, click.Abort):
            click.echo("Stopped.", err=True)
            status = ended.status
        except Exception:
            if ended.signal is None:
                raise
            # A bare except somewhere (openpyxl has such) has made another error of it.
            click.echo("Stopped.", err=True)
            status = ended.status
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


for _command in (new, export, code, lint, diff, exercise, grade):
    main.add_command(_command)

_PATH = click.Path(path_type=Path)


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
@click.option("--perturb", is_flag=True, help="Change the inputs in a copy: does all follow?")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(
    book: Path,
    engine: str,
    rtol: float | None,
    atol: float | None,
    perturb: bool,
    as_json: bool,
) -> int:
    """Recalculate BOOK.xlsx and compare every cell with Python.

    Exit status 0: they agree; 1: they disagree.
    """
    import sheetnet

    with progress_bar("verifying") as progress:
        report = sheetnet.verify(
            book, engine, rtol=rtol, atol=atol, perturb=perturb, progress=progress
        )
    click.echo(report.to_json() if as_json else report.to_text())
    return 0 if report.agree else 1


@main.command()
@click.argument("origin", type=_PATH, metavar=ORIGIN)
@click.option("--json", "as_json", is_flag=True, help="Final weights and losses in full precision.")
@click.option("--epochs", type=int, help="Override the spec.")
@click.option("--learning-rate", type=float, help="Override the spec.")
@click.option("--seed", type=int, help="Override the spec.")
@click.option("--batch-size", type=int, help="Override the spec.")
@click.option("--rows", type=int, help="Override the spec: use the first N rows.")
def train(origin: Path, as_json: bool, **options: Any) -> None:
    """Train a spec (TOML) or a workbook in Python only and print what each epoch comes to."""
    import sheetnet
    from sheetnet.commands.sources import load
    from sheetnet.spec import Spec

    loaded = load(origin, say=not as_json, **options)
    with progress_bar("training") as progress:
        run = sheetnet.train(loaded, progress=progress)
    if as_json:
        book = {} if isinstance(loaded, Spec) else {"book": loaded.to_dict()}
        click.echo(json.dumps({**run.summary(), **book}, indent=2, allow_nan=False))
        return
    click.echo(run.problem.network.label)
    columns = {name: run.by_epoch(name).tolist() for name in run.measures}
    heads = ["mean loss" if name == "loss" else name for name in columns]
    click.echo(f"{'epoch':>6}" + "".join(f"  {head:>14}" for head in heads))
    for epoch in _spread(len(run.epochs)):
        values = "".join(f"  {column[epoch - 1]:>14.8g}" for column in columns.values())
        click.echo(f"{epoch:>6}{values}")
    say_of_validation(run.best_epoch, run.stopped_after)
    if run.diverged_at is not None:
        click.echo(f"The run diverges at visit {run.diverged_at}.")


def _spread(epochs: int) -> list[int]:
    """All epochs up to 30; of more, 30 spread evenly, the first and the last among them."""
    if epochs <= 30:
        return list(range(1, epochs + 1))
    return sorted({1 + round(i * (epochs - 1) / 29) for i in range(30)})


def _values(
    _: click.Context, option: click.Parameter, text: str | None
) -> tuple[int | float | str, ...] | None:
    """Values with commas between them; errors name the option."""
    from sheetnet.tuning.candidates import read_values

    assert option.name is not None
    return None if text is None else read_values(option.name, text, key=option.opts[0])


_NUMBERS, _NAMES = "N,N,…", "NAME,NAME,…"


@main.command()
@click.argument("spec", type=_PATH)
@click.option(
    "--layers", metavar=_NUMBERS, callback=_values, help="Hidden layers; 0: a perceptron."
)
@click.option("--units", metavar=_NUMBERS, callback=_values, help="Units of each hidden layer.")
@click.option("--learning-rate", metavar=_NUMBERS, callback=_values, help="Sizes of the steps.")
@click.option("--activation", metavar=_NAMES, callback=_values, help="Of the hidden layers.")
@click.option("--dropout", metavar=_NUMBERS, callback=_values, help="Rates of the hidden layers.")
@click.option("--optimizer", metavar=_NAMES, callback=_values, help="Each with its defaults.")
@click.option("--batch-size", metavar=_NUMBERS, callback=_values, help="Samples of each update.")
@click.option(
    "--folds",
    type=int,
    default=5,
    show_default=True,
    help="Parts of the rows, each held out once; they take the place of data.validation.",
)
@click.option("--epochs", type=int, help="Override the spec.")
@click.option("--seed", type=int, help="Override the spec.")
@click.option("--rows", type=int, help="Override the spec: use the first N rows.")
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Trainings side by side [default: all cores]."
)
@click.option(
    "--backend",
    type=click.Choice(["loky", "threading", "dask", "ray"]),
    default="loky",
    show_default=True,
    help="Where they run: processes, threads, or a cluster's workers.",
)
@click.option("--scheduler", metavar="ADDRESS", help="The address of the Dask or Ray cluster.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, all digits.")
@click.option("-o", "--write", type=_PATH, metavar="TOML", help="Write the winner as a spec.")
@click.option("--force", is_flag=True, help="Replace that file if it exists.")
def tune(
    spec: Path,
    folds: int,
    jobs: int | None,
    backend: str,
    scheduler: str | None,
    as_json: bool,
    write: Path | None,
    force: bool,
    epochs: int | None,
    seed: int | None,
    rows: int | None,
    **axes: Any,
) -> None:
    """Rank candidates for SPEC by k-fold cross validation.

    The candidates are all combinations of the values given; an option left out means the
    spec's own value. They are ranked by the mean, over the folds, of the validation loss
    of the last epoch (of the best one, where the spec has patience).
    """
    import sheetnet
    from sheetnet.package import is_book
    from sheetnet.tuning import backends, report

    if is_book(spec):
        raise SpecError(
            f"{spec.name} is a workbook: tune takes a spec (TOML), which names the rows that its "
            "folds are cut from"
        )
    loaded = sheetnet.load_spec(spec).override(epochs=epochs, seed=seed, rows=rows)
    if write is not None:
        report.check_winner_target(loaded, write, overwrite=force)
    with progress_bar("training") as progress, backends.backend(backend, scheduler):
        tuning = sheetnet.tune(loaded, **axes, folds=folds, jobs=jobs or -1, progress=progress)
    click.echo(tuning.to_json() if as_json else tuning.to_text())
    if write is not None:
        tuning.write(write, overwrite=force)
        click.echo(f"{write}: the best candidate as a spec", err=as_json)
