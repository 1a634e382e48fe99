"""Mistakes between gradients and updates: batches, clipping, optimizers, the step itself."""

from __future__ import annotations

import re

from sheetnet.classroom.kinds import Case, Kind, all_rows, later_rows, put, texts
from sheetnet.concepts.batches import COUNT, MEAN, SUM
from sheetnet.concepts.clipping import CLIP
from sheetnet.concepts.optimizers import LEARNING_RATE
from sheetnet.pipeline import all_parameters

_RATE = LEARNING_RATE.name
_REF = r"(?:\{\$\})?[A-Z]{1,3}\{[rp]\}"


def _update(case: Case) -> bool:
    return case.column.block.kind == "update"


def _state(case: Case) -> bool:
    return case.column.block.kind == "state"


def _wrong_sign(text: str, case: Case) -> str | None:
    return text.replace(f"-{_RATE}*", f"{_RATE}*", 1) if _update(case) else None


def _no_rate(text: str, case: Case) -> str | None:
    return text.replace(f"{_RATE}*", "", 1) if _update(case) else None


def _other_update(text: str, case: Case) -> str | None:
    """The update of the next parameter of the same quantity."""
    if case.column.block.kind not in ("weight", "bias"):
        return None
    name, i = f"u{case.column.block.name}", case.column.position
    updates = case.refs.get(name, ())
    if len(updates) < 2:
        return None
    other = updates[(i + 1) % len(updates)].replace("{r}", "{p}")
    return put(text, updates[i].replace("{r}", "{p}"), other)


def _begins_anew(text: str, case: Case) -> str | None:
    """The row before's own value, held fast at the first row."""
    kept = case.column.block.kind in ("weight", "bias") or _state(case)
    if not kept or case.column.block.base == COUNT.name:
        return None
    own = case.refs[case.column.block.name][case.column.position].replace("{r}", "{p}")
    if text == own:  # a bias that is not trained
        return None
    return put(text, own, own.replace("{p}", f"${case.column.first_row}"))


def _sum_for_mean(text: str, case: Case) -> str | None:
    if not case.network.batches or case.column.block.base not in _named(case, MEAN.name):
        return None
    return text.removesuffix(f"/{case.refs[COUNT.name][0]}")


def _never_reset(text: str, case: Case) -> str | None:
    if not case.network.batches or case.column.block.base not in _named(case, SUM.name):
        return None
    return re.sub(rf"^IF\({_REF}=1,0,({_REF})\)", r"\1", text)


def _named(case: Case, slot: str) -> set[str]:
    return {f"{slot}{p.rstrip('0123456789')}" for p in all_parameters(case.network)}


def _one_side(text: str, case: Case) -> str | None:
    if not _state(case):
        return None
    return re.sub(rf"^MAX\(-{CLIP.name},(.*)\)$", r"\1", text)


def _no_root(text: str, case: Case) -> str | None:
    if not (_update(case) or _state(case)):
        return None
    return re.sub(rf"SQRT\(({_REF})\)", r"\1", text)


def _no_correction(text: str, case: Case) -> str | None:
    """M / (1 − β^t) without what it is divided by."""
    return re.sub(rf"^({_REF})/\(1-\w+\^{_REF}\)$", r"\1", text) if _state(case) else None


def _other_rate(text: str, case: Case) -> str | None:
    """Another of the optimizer's numbers in the place of one (β₂ for β₁, say)."""
    names = [h.name for h in case.network.optimizer.hyperparameters]
    held = [name for name in names if re.search(rf"\b{name}\b", text)]
    if not _state(case) or len(held) != 1 or held[0] == _RATE:
        return None
    stem = held[0].rstrip("0123456789")
    others = [n for n in names if n != held[0] and n.rstrip("0123456789") == stem]
    return re.sub(rf"\b{held[0]}\b", others[0], text) if others else None


def _not_weighted(text: str, case: Case) -> str | None:
    """βm + g for βm + (1 − β)g."""
    return re.sub(r"\(1-\w+\)\*", "", text) if _state(case) else None


UPDATE = (
    Kind(
        "wrong_sign",
        "The update has the wrong sign",
        "The step is added along the gradient, not against it: the loss is climbed, not descended.",
        texts(_wrong_sign),
        all_rows,
        wide=True,
    ),
    Kind(
        "learning_rate_forgotten",
        "The learning rate is forgotten",
        "The update is the whole gradient, not learning_rate times it; changing learning_rate "
        "on Config does nothing here.",
        texts(_no_rate),
        all_rows,
        wide=True,
    ),
    Kind(
        "other_update",
        "A weight is changed by another weight's update",
        "The reference to the update is one column off: this weight follows its neighbour's "
        "update.",
        texts(_other_update),
        later_rows,
    ),
    Kind(
        "held_at_first_row",
        "A reference to the row above is held fast at the first row",
        "A dollar sign too many: the formula always takes the value of the first row instead of "
        "that of the row above, so nothing is carried on from visit to visit.",
        texts(_begins_anew),
        later_rows,
        wide=True,
    ),
    Kind(
        "sum_for_mean",
        "The batch's gradients are summed, not averaged",
        "The sum over the batch is not divided by the number of its samples: steps grow with "
        "the size of the batch.",
        texts(_sum_for_mean),
        all_rows,
        wide=True,
    ),
    Kind(
        "sum_never_reset",
        "The sum over the batch never begins anew",
        "Gradients of earlier batches stay in the sum: it should begin at 0 with the first "
        "sample of each batch.",
        texts(_never_reset),
        later_rows,
        wide=True,
    ),
    Kind(
        "clipped_on_one_side",
        "Gradients are clipped on one side only",
        "Large positive gradients are cut to the limit, large negative ones pass.",
        texts(_one_side),
        all_rows,
        wide=True,
    ),
    Kind(
        "root_forgotten",
        "The root of the mean square is forgotten",
        "The gradient is divided by the mean of its squares instead of by the root of it.",
        texts(_no_root),
        all_rows,
        wide=True,
    ),
    Kind(
        "correction_forgotten",
        "The bias correction is forgotten",
        "The running mean starts at 0 and is too small at first; it is not divided by 1 − βᵗ.",
        texts(_no_correction),
        all_rows,
        wide=True,
    ),
    Kind(
        "other_decay",
        "The decay of the other running mean is used",
        "β₁ belongs to m, the mean of gradients, β₂ to v, the mean of squares; they are mixed up.",
        texts(_other_rate),
        all_rows,
        wide=True,
    ),
    Kind(
        "mean_not_weighted",
        "The new value is not weighted in a running mean",
        "The running mean adds the whole new value, not (1 − β) times it, and grows far too large.",
        texts(_not_weighted),
        all_rows,
        wide=True,
    ),
)
