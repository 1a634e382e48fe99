"""Early stopping: training ends when the validation loss has not improved for a while.

Prechelt, "Early Stopping - But When?", 1998, in the form that is common today: an
epoch improves where its validation loss is below the best so far by more than
min_delta; after ``patience`` epochs in a row without that the weights stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.hyperparameters import Hyperparameter
from sheetnet.concepts.stages import Refs

PATIENCE = Hyperparameter(
    "patience", 3.0, "epochs in a row without improvement that end the training", 1.0, whole=True
)
MIN_DELTA = Hyperparameter(
    "min_delta", 0.0, "by how much a validation loss must be below the best to improve on it"
)

STOPPED = "stopped"
"""1 in what comes after the end of the training, else 0."""


@dataclass(frozen=True)
class Judgement:
    """What is said of an epoch from its validation loss, in NumPy and as a cell.

    It sees ``epoch``, ``val_loss``, the judgements before it in the row, the
    hyperparameters by name, and any judgement of the epoch before under
    ``"<name> before"``.

    Attributes
    ----------
    code: the NumPy form as source, an expression in which a name that the row has not
        given yet is the value of the epoch before.
    start: its value before the first epoch.
    first: the cell form in the first epoch, where there is nothing before.
    flag: whether it is 0 or 1, or a whole number.

    """

    name: str
    value: Callable[[Mapping[str, Array]], Array]
    first: Callable[[Refs], str]
    cell: Callable[[Refs], str]
    maths: str
    code: str
    start: float = 0.0
    flag: bool = True


def _improved(q: Mapping[str, Array]) -> Array:
    loss, best = q["val_loss"], q["best_loss before"]
    better = np.where(np.isfinite(best), best - q["min_delta"] - loss > 0, True)
    return np.where(np.isfinite(loss) & better, 1.0, 0.0)


def _where_improved(
    fresh: str, otherwise: Callable[[Mapping[str, Array]], Array]
) -> Callable[[Mapping[str, Array]], Array]:
    return lambda q: np.where(q["improved"] == 1, q[fresh], otherwise(q))


BEST = (
    # A loss too large for a sheet is no number, and never the best.
    Judgement(
        "improved",
        _improved,
        lambda c: f"IF(ISNUMBER({c['val_loss']}),1,0)",
        lambda c: (
            f"IF(ISNUMBER({c['val_loss']}),IF(ISNUMBER({c['best_loss before']}),"
            f"IF(SIGN({c['best_loss before']}-min_delta-{c['val_loss']})>0,1,0),1),0)"
        ),
        "1 where validation loss < best before − min_delta",
        "math.isfinite(val_loss) and (\n"
        "    best_loss - min_delta - val_loss > 0 or not math.isfinite(best_loss)\n"
        ")",
    ),
    Judgement(
        "best_loss",
        _where_improved("val_loss", lambda q: q["best_loss before"]),
        lambda c: c["val_loss"],
        lambda c: f"IF({c['improved']}=1,{c['val_loss']},{c['best_loss before']})",
        "lowest validation loss so far",
        "val_loss if improved else best_loss",
        start=np.nan,
        flag=False,
    ),
    Judgement(
        "best_epoch",
        _where_improved("epoch", lambda q: q["best_epoch before"]),
        lambda c: c["epoch"],
        lambda c: f"IF({c['improved']}=1,{c['epoch']},{c['best_epoch before']})",
        "the epoch that reached it",
        "epoch if improved else best_epoch",
        start=1.0,
    ),
)
"""There with every validation."""

STOP = (
    Judgement(
        "wait",
        lambda q: np.where(q["improved"] == 1, 0.0, q["wait before"] + 1.0),
        lambda c: f"IF({c['improved']}=1,0,1)",
        lambda c: f"IF({c['improved']}=1,0,{c['wait before']}+1)",
        "epochs since the last improvement",
        "0 if improved else wait + 1",
    ),
    Judgement(
        STOPPED,
        lambda q: np.where((q["stopped before"] == 1) | (q["wait"] >= q["patience"]), 1.0, 0.0),
        lambda c: f"IF({c['wait']}>=patience,1,0)",
        lambda c: f"IF({c['stopped before']}=1,1,IF({c['wait']}>=patience,1,0))",
        "1 from the epoch on after which training ends",
        "stopped or wait >= patience",
    ),
)
"""There where patience is given."""


def judgements(*, stops: bool) -> tuple[Judgement, ...]:
    """All that is said of an epoch, in order."""
    return (*BEST, *STOP) if stops else BEST
