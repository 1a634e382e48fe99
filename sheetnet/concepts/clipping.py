"""Clipping of gradients: each by its value, then all together by their norm.

Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural
networks", 2013; the lecture's clip is the first kind.
"""

from __future__ import annotations

import numpy as np

from sheetnet.concepts import arithmetic
from sheetnet.concepts.hyperparameters import Hyperparameter
from sheetnet.concepts.stages import Slot

CLIP = Hyperparameter("clip", 1.0, "limit of each gradient's absolute value")
CLIP_NORM = Hyperparameter("clip_norm", 1.0, "limit of the norm of the whole gradient")

CLIPS = (CLIP, CLIP_NORM)

CLIPPED = Slot(
    "c",
    value=lambda q: np.maximum(-q["clip"], np.minimum(q["clip"], q["gradient"])),
    cell=lambda c: f"MAX(-clip,MIN(clip,{c['gradient']}))",
    maths="max(−clip, min(clip, g))",
    code="np.maximum(-clip, np.minimum(clip, finite(gradient)))",
    torch="nn.utils.clip_grad_value_(trained, clip)",
)

NORM = Slot(
    "norm",
    value=lambda q: np.sqrt(arithmetic.running_sum(q["gradient"] * q["gradient"])),
    cell=lambda c: f"SQRT(SUMSQ({c['gradient']}))",
    maths="‖g‖ = √Σ g²",
    code="np.sqrt(running_sum(gradient * gradient))",
    torch=(
        "# nn.utils.clip_grad_norm_ would add 1e-6 to the norm.\n"
        "norm = torch.cat([p.grad.flatten() for p in trained]).norm()"
    ),
    single=True,
    sees_all=True,
)

SHRINK = Slot(
    "shrink",
    value=lambda q: q["clip_norm"] / np.maximum(q["norm"], q["clip_norm"]),
    cell=lambda c: f"clip_norm/MAX({c['norm']},clip_norm)",
    maths="min(1, clip_norm / ‖g‖)",
    code="clip_norm / np.maximum(finite(norm), clip_norm)",
    torch="shrink = clip_norm / norm.clamp(min=clip_norm)",
    single=True,
)

SHRUNK = Slot(
    "n",
    value=lambda q: q["gradient"] * q["shrink"],
    cell=lambda c: f"{c['gradient']}*{c['shrink']}",
    maths="g · min(1, clip_norm / ‖g‖)",
    code="gradient * shrink",
    torch="for p in trained:\n    p.grad.mul_(shrink)",
)
