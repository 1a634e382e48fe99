"""Training speed with the whole ledger recorded, beside PyTorch, scikit-learn and NumPy alone.

    python tests/benchmarks/training.py [TRIES]

A table in Markdown. Each network is trained on the same rows in the same order, one epoch
without shuffling: by sheetnet (``engine.blocks``, every column of every visit), by PyTorch
(``nn.Module``, autograd, ``torch.optim.SGD``, float64, one thread) and by scikit-learn
(``MLPClassifier``, SGD without momentum or penalty). Contestants take turns; each has its
best try, in CPU time of the process. sheetnet's time includes what it does before the first
visit. "NumPy alone" writes as many bytes as the ledger has: into blocks that are dropped one
after the other as ``engine.blocks`` gives them, and into one matrix that is kept, as
``sheetnet.train`` keeps it. Nothing is asserted.
"""

# ruff: noqa: E402  (threads are limited before NumPy is loaded)
from __future__ import annotations

import importlib.util
import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_threads] = "1"

import numpy as np

from sheetnet import engine
from sheetnet.data import Table
from sheetnet.epoch_ledgers import ledgers_of
from sheetnet.problem import Problem, assemble
from sheetnet.run import train
from sheetnet.spec import parse_spec

TRIES = 5
RATE = 0.05


@dataclass(frozen=True)
class Case:
    """A network with one hidden layer of tanh; two classes have one sigmoid output."""

    inputs: int
    hidden: int
    classes: int
    batch: int
    visits: int

    @property
    def label(self) -> str:
        """``4-16-3, batches of 1``."""
        outputs = 1 if self.classes == 2 else self.classes
        return f"{self.inputs}-{self.hidden}-{outputs}, batches of {self.batch}"


CASES = (Case(2, 8, 2, 1, 40_000), Case(4, 16, 3, 1, 20_000), Case(64, 64, 10, 32, 1_280))


def problem_of(case: Case) -> Problem:
    """Drawn inputs; the class is that of the largest of some drawn sums."""
    random = np.random.default_rng(0)
    x = random.normal(size=(case.visits, case.inputs)).round(3)
    classes = (x @ random.normal(size=(case.inputs, case.classes))).argmax(axis=1)
    names = tuple(f"x{i}" for i in range(case.inputs))
    document = {
        "data": {"source": "drawn.csv", "inputs": list(names), "target": "class"},
        "layers": [
            {"units": case.hidden, "activation": "tanh"},
            {"activation": "sigmoid" if case.classes == 2 else "softmax"},
        ],
        "training": {"epochs": 1, "learning_rate": RATE, "batch_size": case.batch},
    }
    spec = parse_spec(document, name="benchmark", folder=Path())
    return assemble(spec, Table(names, x, ("class",), labels=tuple(f"c{k}" for k in classes)))


def by_sheetnet(problem: Problem) -> Callable[[], object]:
    """The whole ledger, block after block."""

    def run() -> None:
        for _ in engine.blocks(problem):
            pass

    return run


def by_torch(case: Case, problem: Problem) -> Callable[[], object]:
    """Autograd and SGD from sheetnet's first weights; returns the last ones."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    x = torch.tensor(problem.inputs.values, dtype=torch.float64)
    y = torch.tensor(problem.targets.values, dtype=torch.float64)
    loss = nn.CrossEntropyLoss()
    if case.classes == 2:
        loss = nn.BCEWithLogitsLoss()
    else:
        y = y.argmax(dim=1)

    def run() -> list[np.ndarray]:
        hidden = nn.Linear(case.inputs, case.hidden, dtype=torch.float64)
        last = nn.Linear(case.hidden, problem.network.outputs, dtype=torch.float64)
        net = nn.Sequential(hidden, nn.Tanh(), last)
        with torch.no_grad():
            for layer, w, b in zip((hidden, last), problem.weights, problem.biases, strict=True):
                layer.weight.copy_(torch.tensor(w))
                layer.bias.copy_(torch.tensor(b))
        optimizer = torch.optim.SGD(net.parameters(), lr=RATE)
        for k in range(0, case.visits, case.batch):
            optimizer.zero_grad()
            loss(net(x[k : k + case.batch]), y[k : k + case.batch]).backward()
            optimizer.step()
        return [p.detach().numpy() for p in net.parameters()]

    return run


def by_sklearn(case: Case, problem: Problem) -> Callable[[], object]:
    """MLPClassifier: an epoch in the order of the rows, no penalty, no momentum."""
    from sklearn.neural_network import MLPClassifier

    x, labels = problem.inputs.values, np.array(problem.table.labels)

    def run() -> None:
        net = MLPClassifier(
            (case.hidden,),
            activation="tanh",
            solver="sgd",
            alpha=0.0,
            momentum=0.0,
            nesterovs_momentum=False,
            batch_size=case.batch,
            learning_rate_init=RATE,
            shuffle=False,
            max_iter=1,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one epoch is no convergence
            net.fit(x, labels)

    return run


def in_blocks(visits: int, width: int) -> Callable[[], object]:
    """Write as many numbers, block after block."""
    rows = max(1, engine.BLOCK_CELLS // width)

    def run() -> None:
        for start in range(0, visits, rows):
            block = np.empty((min(rows, visits - start), width))
            block[:] = 0.5

    return run


def at_once(visits: int, width: int) -> Callable[[], object]:
    """Write as many numbers into one matrix."""

    def run() -> None:
        matrix = np.empty((visits, width))
        matrix[:] = 0.5

    return run


def best_of(contestants: dict[str, Callable[[], object]], tries: int) -> dict[str, float]:
    """The least CPU seconds of each; they take turns."""
    best = dict.fromkeys(contestants, float("inf"))
    for _ in range(tries):
        for name, run in contestants.items():
            start = time.process_time()
            run()
            best[name] = min(best[name], time.process_time() - start)
    return best


def difference(run: Callable[[], object], problem: Problem) -> float:
    """The largest difference of a last weight from PyTorch's."""
    final = train(problem).final
    theirs = run()
    assert isinstance(theirs, list)
    return max(float(np.abs(a - b).max()) for a, b in zip(final.values(), theirs, strict=True))


def main(tries: int) -> None:
    """Measure and print."""
    libraries = {"PyTorch": ("torch", by_torch), "scikit-learn": ("sklearn", by_sklearn)}
    notes = []
    print("| network | trained by | steps/s | sheetnet is | ledger MB/s |")
    print("| --- | --- | ---: | ---: | ---: |")
    for case in CASES:
        problem = problem_of(case)
        width = ledgers_of(problem.network).train.width
        size, steps = case.visits * width * 8, case.visits / case.batch
        contestants = {
            "sheetnet": by_sheetnet(problem),
            "sheetnet, kept": lambda problem=problem: train(problem),
            "NumPy alone": in_blocks(case.visits, width),
            "NumPy alone, kept": at_once(case.visits, width),
        }
        for name, (module, make) in libraries.items():
            if importlib.util.find_spec(module):
                contestants[name] = make(case, problem)
        best = best_of(contestants, tries)
        ours = best["sheetnet"]
        for name in ("sheetnet", *libraries):
            if name not in best:
                print(f"| {case.label} | {name} | not installed | | |")
                continue
            ratio = f"{best[name] / ours:.1f} times as fast" if name != "sheetnet" else ""
            rate = f"{size / ours / 1e6:,.0f}" if name == "sheetnet" else ""
            print(f"| {case.label} | {name} | {steps / best[name]:,.0f} | {ratio} | {rate} |")
        for kept in ("", ", kept"):
            seconds = best[f"NumPy alone{kept}"]
            ratio = f"takes {best[f'sheetnet{kept}'] / seconds:.1f} times as long"
            rate = f"{size / seconds / 1e6:,.0f}"
            print(f"| {case.label} | NumPy alone{kept} | | {ratio} | {rate} |")
        if "PyTorch" in contestants:
            apart = difference(contestants["PyTorch"], problem)
            notes.append(f"{case.label}: weights at the end differ from PyTorch's by {apart:.0e}.")
    print("", *notes, sep="\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else TRIES)
