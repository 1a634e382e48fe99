"""Cross validation as a whole: ranking, means and deviations, reports, winners."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import statistics
from pathlib import Path
from typing import Any

import joblib
import pytest
from support import make_spec
from test_tune_folds import iris

import sheetnet
from sheetnet.data import load_rows
from sheetnet.errors import BackendError, DataError, OutputError, SpecError
from sheetnet.problem import load_problem
from sheetnet.spec import Spec, load_spec
from sheetnet.tuning import search
from sheetnet.tuning.folds import Score, cut, score
from sheetnet.tuning.report import Tuning
from sheetnet.tuning.result import Result, deviation, mean, ranked


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    return iris(tmp_path, epochs=2)


def result(*losses: float, parameters: int = 5, name: str = "") -> Result:
    spec = dataclasses.replace(make_spec(), name=name)
    return Result(spec, "2-1", parameters, tuple(Score(1, 0.5, loss, 0.75) for loss in losses))


def line(**training: Any) -> Spec:
    return make_spec(source="toy:line", layers=[{"activation": "linear"}], data={"rows": 12},
                     **training)  # fmt: skip


# --- numbers


def test_mean_and_deviation_are_the_textbook_s() -> None:
    losses = [0.3, 0.1, 0.45, 0.2]
    found = result(*losses)
    assert found.validation_loss == pytest.approx(statistics.mean(losses))
    assert found.deviation == pytest.approx(statistics.stdev(losses))  # n - 1
    assert (found.train_loss, found.measure) == (0.5, 0.75)
    assert math.isnan(mean([1.0, math.nan])) and math.isnan(mean([1e308, 1e308]))
    assert math.isnan(deviation([-1e300, 1e300]))


def test_ranking() -> None:
    given = [
        result(0.2, 0.4, parameters=9, name="later"),
        result(math.nan, 0.1, parameters=1, name="diverges"),
        result(0.1, 0.2, parameters=99, name="best"),
        result(0.2, 0.4, parameters=9, name="latest"),
        result(0.4, 0.2, parameters=8, name="smaller"),
        result(1e300, 1e300, name="huge"),
        result(1e308, 1e308, parameters=2, name="too large to add up"),
    ]
    assert [r.spec.name for r in ranked(given)] == [
        "best", "smaller", "later", "latest", "huge", "diverges", "too large to add up",
    ]  # fmt: skip


def test_results_are_those_of_each_fold(spec: Spec) -> None:
    found = sheetnet.tune(spec, units=(2, 3), learning_rate=(0.05, 0.2), folds=3)
    table = load_rows(spec)
    parts = cut(30, 3, spec.training.seed)
    assert found.folds == tuple(tuple(int(row) + 1 for row in part) for part in parts)
    assert (found.rows, found.loss, found.measure) == (30, "cross_entropy", "accuracy")
    assert len(found.results) == 4
    losses = [r.validation_loss for r in found.results]
    assert losses == sorted(losses)
    for each in found.results:
        assert each.scores == tuple(score(each.spec, table, part) for part in parts)
        network = load_problem(each.spec).network
        assert each.network == network.label
        run = sheetnet.train(each.spec)
        assert each.parameters == sum(weights.size for weights in run.final.values())
    assert found.best == found.results[0]


def test_without_values_the_spec_itself_is_cross_validated(spec: Spec) -> None:
    found = sheetnet.tune(spec)
    assert [r.spec for r in found.results] == [spec]
    assert len(found.folds) == 5


def test_folds_of_single_rows() -> None:
    found = sheetnet.tune(make_spec(epochs=1), folds=4, layers=(0, 1))
    assert all(len(fold) == 1 for fold in found.folds)
    assert all(len(r.scores) == 4 for r in found.results)


# --- side by side


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_the_number_of_jobs_changes_nothing(spec: Spec, backend: str) -> None:
    alone = sheetnet.tune(spec, units=(2, 3), folds=3, jobs=1)
    told: list[tuple[int, int]] = []
    with joblib.parallel_config(backend=backend, n_jobs=2):
        both = sheetnet.tune(spec, units=(2, 3), folds=3, progress=lambda *n: told.append(n))
    assert both == alone
    assert both.to_json() == alone.to_json()
    # multiprocessing, as Ray's, gives all results at the end only
    assert told == [(done, 6) for done in range(7)]


def test_an_enclosing_configuration_is_in_force(
    spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[joblib.Parallel] = []

    class Watched(joblib.Parallel):
        def __init__(self, *arguments: Any, **extra: Any) -> None:
            super().__init__(*arguments, **extra)
            made.append(self)

    monkeypatch.setattr(joblib, "Parallel", Watched)
    with joblib.parallel_config(backend="threading", n_jobs=3):
        sheetnet.tune(spec, folds=2)
        sheetnet.tune(spec, folds=2, jobs=2)
    sheetnet.tune(spec, folds=2)
    assert [pool.n_jobs for pool in made] == [3, 2, 1]
    assert [type(pool._backend).__name__ for pool in made[:2]] == ["ThreadingBackend"] * 2


def test_a_worker_that_dies(spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    def dying(*_: Any) -> Any:
        os._exit(1)

    monkeypatch.setattr(search, "_one", dying)
    with pytest.raises(BackendError, match="a worker process ended before its training was done"):
        sheetnet.tune(spec, jobs=2)


@pytest.mark.parametrize("jobs", [0, -2, 1.5, True, "2"])
def test_jobs_that_cannot_be(spec: Spec, jobs: Any) -> None:
    with pytest.raises(SpecError, match=r"jobs is .*: a whole number from 1, or -1"):
        sheetnet.tune(spec, jobs=jobs)


def test_what_does_not_fit_is_said_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_train_all", lambda *_: pytest.fail("trained"))
    with pytest.raises(SpecError, match="weights and biases; allowed"):
        sheetnet.tune(make_spec(), units=(2, 16000), layers=(1, 2), folds=2)
    with pytest.raises(SpecError, match="folds is 5: a whole number from 2 to 4"):
        sheetnet.tune(make_spec())
    data = {"target": "y", "scale": "minmax"}
    (tmp_path / "wide.csv").write_text("x,y\n-1e308,1\n1e308,2\n0,3\n0,4\n")
    spec = make_spec(source="wide.csv", data=data, folder=tmp_path, layers=[{}])
    with pytest.raises(DataError, match=r"^fold [1-4] of 4: data.scale = 'minmax' does not give"):
        sheetnet.tune(spec, folds=4)


# --- reports


def test_the_table(spec: Spec) -> None:
    found = sheetnet.tune(spec, units=(2, 3), optimizer=("sgd", "adam"), folds=4)
    head, names, *rows, foot = found.to_text().splitlines()
    assert head.startswith("4 candidates, 4 folds: trained on all of 30 rows but 7 or 8 held out")
    assert names.split() == [
        "rank", "layers", "units", "optimizer", "learning_rate", "parameters",
        "validation", "loss", "±", "deviation", "accuracy", "training", "loss",
    ]  # fmt: skip
    assert "sample deviation" in foot and "last epoch" in foot
    assert len(rows) == 4
    for rank, (row, each) in enumerate(zip(rows, found.results, strict=True), 1):
        cells = row.split()
        training = each.spec.training
        assert cells[:4] == [str(rank), "1", str(each.hidden[0]), training.optimizer]
        assert float(cells[6]) == pytest.approx(each.validation_loss, rel=1e-5)
        assert float(cells[8]) == pytest.approx(each.deviation, rel=1e-2)
        assert float(cells[9]) == pytest.approx(each.measure, rel=1e-3, abs=1e-9)


def test_layers_that_differ_from_one_another() -> None:
    layers: list[dict[str, Any]] = [{"units": 3}, {"units": 2, "activation": "relu"}, {}]
    found = sheetnet.tune(line(), folds=2, layers=(0,))
    assert found.to_text().splitlines()[2].split()[:3] == ["1", "0", "-"]
    spec = make_spec(source="toy:line", layers=layers, data={"rows": 12})
    found = sheetnet.tune(spec, folds=2, activation=None, dropout=(0, 0.5))
    assert found.to_text().splitlines()[2].split()[:3] == ["1", "2", "3-2"]


def test_json_is_exact(spec: Spec) -> None:
    found = sheetnet.tune(spec, units=(2, 3), folds=3)
    read = json.loads(found.to_json())
    assert read["held_out"] == [list(fold) for fold in found.folds]
    assert (read["rows"], read["epoch"], read["deviation"]) == (30, "last", "sample")
    for entry, each in zip(read["candidates"], found.results, strict=True):
        assert entry["validation_loss"] == each.validation_loss  # == of floats: the same bits
        assert entry["deviation"] == each.deviation
        assert entry["accuracy"] == each.measure
        assert entry["units"] == list(each.hidden)
        assert entry["parameters"] == each.parameters
        assert [f["validation_loss"] for f in entry["folds"]] == [
            s.validation_loss for s in each.scores
        ]
    assert read["winner"]["layers"][0]["units"] == found.results[0].hidden[0]


def test_early_stopping_is_told(tmp_path: Path) -> None:
    spec = iris(tmp_path, epochs=9, learning_rate=2.0).override(validation=0.2)
    found = sheetnet.tune(spec.override(patience=1), folds=3)
    assert "best epoch (early stopping)" in found.to_text()
    read = json.loads(found.to_json())
    assert read["epoch"] == "best"
    assert [f["epoch"] for f in read["candidates"][0]["folds"]] == [
        s.epoch for s in found.results[0].scores
    ]


def test_candidates_that_diverge_come_last_and_say_so(tmp_path: Path) -> None:
    found = sheetnet.tune(line(epochs=2), learning_rate=(1e200, 0.1), folds=3)
    assert [r.diverges for r in found.results] == [False, True]
    assert "diverges in 3 of 3 folds" in found.to_text().splitlines()[3]
    read = json.loads(found.to_json())  # strict JSON: no NaN
    assert read["candidates"][1]["validation_loss"] is None
    assert read["candidates"][1]["diverged_folds"] == 3
    assert "NaN" not in found.to_json()


def test_all_diverge(tmp_path: Path) -> None:
    found = sheetnet.tune(line(epochs=2, learning_rate=1e200), folds=3)
    assert found.best is None
    assert json.loads(found.to_json())["winner"] is None
    with pytest.raises(SpecError, match="all candidates diverge: there is no winner"):
        found.write(tmp_path / "w.toml")
    assert not list(tmp_path.iterdir())


# --- the winner


@pytest.fixture
def finished(spec: Spec) -> Tuning:
    return sheetnet.tune(spec.override(validation=0.2), units=(2, 4), layers=(1, 2), folds=3)


def test_the_winner_is_a_spec_that_trains(finished: Tuning, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    finished.write(str(tmp_path / "sub" / "winner.toml"))
    found = load_spec(tmp_path / "sub" / "winner.toml")
    assert finished.best is not None
    best = finished.best.spec
    assert found.data.source == "../some.csv"
    assert found.data.validation == 0.2
    assert (found.layers, found.training) == (best.layers, best.training)
    assert (sheetnet.train(found).matrix == sheetnet.train(best).matrix).all()
    text = (tmp_path / "sub" / "winner.toml").read_text(encoding="utf-8")
    assert text.startswith("# test: the best of 4 candidates by cross validation on 3 folds.\n")
    assert f"{finished.best.validation_loss:#.6g} ± " in text.splitlines()[1]


def test_the_winner_replaces_nothing_unasked(finished: Tuning, tmp_path: Path) -> None:
    target = tmp_path / "w.toml"
    finished.write(target, overwrite=False)
    first = target.read_bytes()
    with pytest.raises(OutputError, match="exists: use --force"):
        finished.write(target, overwrite=False)
    finished.write(target)
    assert target.read_bytes() == first
    with pytest.raises(OutputError, match="is read by the run"):
        finished.write(tmp_path / "some.csv")
    with pytest.raises(OutputError, match="there is no folder"):
        finished.write(tmp_path / "none" / "w.toml")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["some.csv", "w.toml"]
