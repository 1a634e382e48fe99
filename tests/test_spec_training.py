"""The numbers of each optimizer, batches, limits and dropout in the spec."""

from __future__ import annotations

import pytest
from test_spec import changed, complaint, parsed

NUMBERS = {
    "sgd": {},
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.9},
    "adagrad": {"epsilon": 1e-8},
    "rmsprop": {"rho": 0.9, "epsilon": 1e-8},
    "adam": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
}


@pytest.mark.parametrize("optimizer", NUMBERS)
def test_numbers_of_each_optimizer(optimizer: str) -> None:
    """Its own, with the defaults of the interface; those of others are unknown keys."""
    document = changed("training.optimizer", optimizer)
    numbers = NUMBERS[optimizer]
    assert parsed(document).training.hyperparameters == {"learning_rate": 0.25, **numbers}
    given = dict.fromkeys(numbers, 0.5)
    document["training"] |= given
    assert parsed(document).training.hyperparameters == {"learning_rate": 0.25, **given}
    others = {name for known in NUMBERS.values() for name in known} - set(numbers)
    for other in others:
        message = complaint({**document, "training": {**document["training"], other: 0.5}})
        assert other in message and "allowed:" in message
    for name in numbers:
        wrong = {**document, "training": {**document["training"], name: -0.1}}
        assert complaint(wrong).startswith(f"training.{name}")


def test_batches_limits_and_dropout_are_kept() -> None:
    document = changed("training.batch_size", 3)
    document["training"] |= {"clip": 0.2, "clip_norm": 1}
    document["layers"][0]["dropout"] = 0.25
    spec = parsed(document)
    assert spec.training.batch_size == 3 and spec.layers[0].dropout == 0.25
    assert spec.training.hyperparameters == {"learning_rate": 0.25, "clip": 0.2, "clip_norm": 1}
    assert parsed(changed("layers.1.dropout", 0)).layers[0].dropout is None
