"""A distributed backend for real: a Dask cluster of two worker processes on this machine."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import distributed
import joblib
import pytest
from support import run
from test_tune_folds import iris

import sheetnet
from sheetnet.errors import BackendError, SpecError
from sheetnet.spec_writer import spec_text
from sheetnet.tuning import backends
from sheetnet.tuning.backends import backend


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a scheduler with two workers, each a process of its own."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as made:
        yield made.scheduler_address


def test_from_python(cluster: str, tmp_path: Path) -> None:
    spec = iris(tmp_path, epochs=2)
    here = sheetnet.tune(spec, units=(2, 3), folds=3, jobs=1)
    told: list[tuple[int, int]] = []
    with distributed.Client(cluster), joblib.parallel_config(backend="dask"):
        there = sheetnet.tune(spec, units=(2, 3), folds=3, progress=lambda *n: told.append(n))
    assert there == here
    assert told == [(done, 6) for done in range(7)]


def test_from_the_command_line(cluster: str, tmp_path: Path) -> None:
    spec = tmp_path / "net.toml"
    spec.write_text(spec_text(iris(tmp_path, epochs=2)), encoding="utf-8")
    line = ("tune", spec, "--units", "2,3", "--folds", 3, "--json")
    here = run(*line, "--jobs", 1)
    there = run(*line, "--backend", "dask", "--scheduler", cluster)
    assert (there.exit_code, there.stderr) == (0, "")
    assert json.loads(there.stdout) == json.loads(here.stdout)


def test_work_is_done_by_the_workers(cluster: str) -> None:
    with backend("dask", cluster):
        pids = joblib.Parallel()(joblib.delayed(_pid)() for _ in range(20))
    assert len(set(pids)) >= 1 and _pid() not in pids


def _pid() -> int:
    return os.getpid()


def test_workers_of_another_version(cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheetnet, "__version__", "9.9")
    with pytest.raises(BackendError, match=r"need sheetnet 9\.9, as here; found: \d+\.\d+"):
        with backend("dask", cluster):
            pytest.fail("went on")


def test_no_scheduler_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "TIMEOUT", 0.2)
    for address in (f"tcp://127.0.0.1:{free_port()}", "nonsense"):
        with pytest.raises(BackendError, match=f"no Dask scheduler answers at {address}"):
            with backend("dask", address):
                pytest.fail("went on")


def free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        port: int = made.getsockname()[1]
        return port


@pytest.mark.parametrize(("name", "package"), [("dask", "distributed"), ("ray", "ray")])
def test_a_package_that_is_missing(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(BackendError, match=f"backend {name} needs .*: pip install "):
        with backend(name, "127.0.0.1:1"):
            pytest.fail("went on")


def test_ray_s_cluster_is_looked_for_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray itself tries for minutes; its package need not be there for this."""
    with pytest.raises(OSError, match="refused"):
        backends._knock(f"127.0.0.1:{free_port()}")
    backends._knock("auto")
    with socket.create_server(("127.0.0.1", 0)) as server:
        backends._knock(f"ray://127.0.0.1:{server.getsockname()[1]}")


def test_schedulers_and_backends_go_together() -> None:
    with pytest.raises(SpecError, match="backend ray needs a scheduler"):
        with backend("ray"):
            pytest.fail("went on")
    with pytest.raises(SpecError, match="goes with the backends dask, ray, not with threading"):
        with backend("threading", "127.0.0.1:1"):
            pytest.fail("went on")
