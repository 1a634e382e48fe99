"""Small runs with held-out rows that stop early, each of another kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support import make_spec

from sheetnet.spec import Spec

TABLE = "a,b,u,v\n" + "\n".join(
    f"{a},{b},{a * b - 0.3 * b},{a - b * b}"
    for a, b in [
        *((0.1, -1.5), (0.7, 0.25), (-0.4, 1.25), (1.1, -0.6), (0.9, 0.8)),
        *((-1.2, 0.4), (0.3, 0.5), (-0.8, -0.9), (0.6, -1.1)),
    ]
)
"""Two numeric targets, nine rows."""

KINDS: dict[str, dict[str, Any]] = {
    # One output: 0/1 by a threshold. Plain steps, the shortest ledger with a flag.
    "threshold": {
        "source": "toy:moons",
        "data": {"rows": 9, "validation": 0.3},
        "layers": [{"units": 2, "activation": "tanh"}, {"activation": "sigmoid"}],
        "learning_rate": 4.0,
        "patience": 2,
    },
    # Classes by the largest output; all that stands between gradients and updates.
    "classes": {
        "source": "toy:blobs",
        "data": {"rows": 10, "validation": 0.3, "scale": "standard"},
        "layers": [
            {"units": 3, "activation": "tanh", "dropout": 0.3},
            {"activation": "softmax"},
        ],
        "batch_size": 3,
        "shuffle": True,
        "optimizer": "adam",
        "seed": 2,
        "clip_norm": 0.8,
        "learning_rate": 0.9,
        "patience": 2,
    },
    # Two numbers; more than eight weights of a unit, so that sums run over ranges.
    "numbers": {
        "source": "stopping.csv",
        "data": {
            "target": ["u", "v"],
            "validation": 0.3,
            "scale": "minmax",
            "target_scale": "standard",
        },
        "layers": [{"units": 9, "activation": "relu"}, {"activation": "linear"}],
        "optimizer": "momentum",
        "learning_rate": 0.1,
        "momentum": 0.5,
        "seed": 2,
        "patience": 1,
        "min_delta": 0.01,
    },
}
"""Each stops after some of its epochs, but not after the first nor the last."""


def stopping(kind: str, folder: Path, **changes: Any) -> Spec:
    """The spec of a kind; a change to None takes the key out."""
    (folder / "stopping.csv").write_text(TABLE, encoding="utf-8")
    options = {"epochs": 7, **KINDS[kind], **changes}
    return make_spec(folder=folder, **{k: v for k, v in options.items() if v is not None})
