"""``sheetnet new`` on the command line: parse, call, report."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

_PATH = click.Path(path_type=Path)
_COLUMN, _NAMES = "COLUMN", "NAME,NAME,…"


@click.command()
@click.argument("spec", type=_PATH)
@click.option("--data", type=_PATH, metavar="FILE", help="A .csv or .xlsx file to fit it to.")
@click.option("--sheet", metavar="NAME", help="The sheet of the .xlsx file [default: the first].")
@click.option(
    "--target", multiple=True, metavar=_COLUMN, help="What to predict; several: give it again."
)
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar=_COLUMN,
    help="An input; again for more [default: all columns of numbers but the targets].",
)
@click.option(
    "--scale",
    metavar="NAME",
    help="Of the inputs: none, standard or minmax [default: by the data; none for a model].",
)
@click.option(
    "--from-sklearn",
    type=_PATH,
    metavar="FILE",
    help="Start from a fitted estimator or pipeline of scikit-learn, saved by joblib. Such a "
    "file is a pickle, and reading one RUNS THE CODE IT HOLDS: see --trust-pickle.",
)
@click.option(
    "--trust-pickle",
    is_flag=True,
    help="Read that pickle: only for files that you made, or whose maker you trust.",
)
@click.option(
    "--from-torch",
    type=_PATH,
    metavar="FILE",
    help="Start from the state_dict of linear layers: .safetensors, .npz, or saved by torch.save "
    "(read without running code).",
)
@click.option(
    "--activation",
    metavar=_NAMES,
    help="Of the state_dict's hidden layers: one for all, or one for each.",
)
@click.option(
    "--last-activation",
    metavar="NAME",
    help="Of the state_dict's last layer [default: by the target].",
)
@click.option(
    "--class",
    "classes",
    multiple=True,
    metavar="NAME",
    help="A class as the target calls it, in the order of the model's outputs; again for each.",
)
@click.option("--force", is_flag=True, help="Replace SPEC if it exists.")
def new(spec: Path, force: bool, **options: Any) -> None:
    """Write SPEC (TOML) to start from: every key is there, with what is allowed.

    Without --data it is a toy problem. With --data and --target it is fitted to a table.
    With --from-sklearn or --from-torch as well, the network is a trained model, and
    training goes on from its weights.
    """
    from sheetnet.ledger import ledger_of
    from sheetnet.limits import MAX_COLUMNS
    from sheetnet.output import check_target
    from sheetnet.problem import load_problem
    from sheetnet.starting.fitted import Source
    from sheetnet.starting.new import write_new

    _check(options)
    files = [options[name] for name in ("data", *_MODELS) if options[name] is not None]
    check_target(spec, overwrite=force, read=files)
    source = None
    if options["data"] is not None:
        columns = (tuple(options["target"]), tuple(options["inputs"]))
        source = Source(options["data"], options["sheet"], *columns, options["scale"])
    problem = load_problem(write_new(spec, source, _model(options), overwrite=force))
    click.echo(
        f"{spec}: {problem.network.label}; {problem.spec.data.source}, "
        f"{problem.rows} training rows, {problem.spec.training.epochs} epochs"
    )
    width = ledger_of(problem.network).width
    if width > MAX_COLUMNS:
        click.echo(
            f"Its ledger has {width:,} columns, a sheet {MAX_COLUMNS:,}: it goes "
            "over several sheets, by layer."
        )
    click.echo(f"Read it, change it, then: sheetnet export {shlex.quote(str(spec))}")


_MODELS = ("from_sklearn", "from_torch")


def _model(options: dict[str, Any]) -> Any:
    from sheetnet.starting import models

    given = options["activation"] or ""
    unsaid = models.Unsaid(
        tuple(name.strip() for name in given.split(",")) if given else (),
        options["last_activation"],
        tuple(options["classes"]),
    )
    if options["from_sklearn"] is not None:
        return models.from_sklearn(options["from_sklearn"], unsaid, trust=options["trust_pickle"])
    if options["from_torch"] is not None:
        return models.from_torch(options["from_torch"], unsaid)
    return None


def _check(options: dict[str, Any]) -> None:
    """Options that do nothing without others."""
    if all(options[name] is not None for name in _MODELS):
        raise click.UsageError("--from-sklearn and --from-torch: one of them only")
    needs = {
        "--data": ("sheet", "target", "inputs", "scale", *_MODELS),
        "--from-sklearn": ("trust_pickle",),
        "--from-torch": ("activation", "last_activation"),
    }
    for needed, names in needs.items():
        for name in names:
            if options[name] and not options[needed.strip("-").replace("-", "_")]:
                flag = f"--{name.replace('_', '-').removesuffix('s')}"
                raise click.UsageError(f"{flag} needs {needed}")
    if options["classes"] and not any(options[name] for name in _MODELS):
        raise click.UsageError("--class needs --from-sklearn or --from-torch")
