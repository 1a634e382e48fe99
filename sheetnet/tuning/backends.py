"""Where trainings run: processes or threads of this machine, or a cluster, through joblib."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib import import_module

import joblib

from sheetnet.errors import BackendError, SpecError

LOCAL = ("loky", "threading")
TIMEOUT = 10
"""Seconds that a cluster's scheduler has to answer."""


@contextlib.contextmanager
def backend(name: str, scheduler: str | None = None) -> Iterator[None]:
    """Make joblib run on a backend, and on a cluster's at the address of its scheduler.

    Raises :class:`BackendError` where the package or the cluster is missing.
    """
    cluster = _CLUSTERS.get(name)
    if cluster is None:
        if scheduler is not None:
            raise SpecError(
                f"a scheduler ({scheduler}) goes with the backends {', '.join(_CLUSTERS)}, "
                f"not with {name}"
            )
        with joblib.parallel_config(backend=name):
            yield
        return
    if scheduler is None:
        raise SpecError(f"backend {name} needs a scheduler: the address of the cluster")
    with cluster(scheduler), joblib.parallel_config(backend=name):
        try:
            yield
        except OSError as error:
            raise BackendError(f"{name} at {scheduler}: {error}") from None


@contextlib.contextmanager
def _dask(scheduler: str) -> Iterator[None]:
    try:
        from distributed import Client
    except ImportError:
        raise BackendError("backend dask needs Dask: pip install 'sheetnet[dask]'") from None
    try:
        client = Client(scheduler, timeout=TIMEOUT)
    except (OSError, ValueError) as error:
        raise BackendError(f"no Dask scheduler answers at {scheduler} ({error})") from None
    with client:
        # joblib would wait for ever on a worker that cannot import what it is sent.
        try:
            found = set(client.run(_version).values())
        except Exception as error:  # the worker's, as a plain Exception
            found = {str(error)}
        if found - {_version()}:
            raise BackendError(
                f"the workers at {scheduler} need sheetnet {_version()}, as here; found: "
                f"{', '.join(sorted(found))}"
            )
        yield


def _version() -> str:
    """Of the code that is there, installed or not."""
    return str(import_module("sheetnet").__version__)


@contextlib.contextmanager
def _ray(scheduler: str) -> Iterator[None]:
    try:
        import ray
        from ray.util.joblib import register_ray
    except ImportError:
        raise BackendError("backend ray needs Ray: pip install ray") from None
    try:
        _knock(scheduler)  # Ray itself would try for minutes
        ray.init(address=scheduler, log_to_driver=False, logging_level="ERROR")
    except (OSError, ValueError) as error:
        raise BackendError(f"no Ray cluster answers at {scheduler} ({error})") from None
    try:
        register_ray()
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raise OSError where an address with a port does not answer."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if port.isdecimal():
        socket.create_connection((host, int(port)), TIMEOUT).close()


_CLUSTERS: dict[str, Callable[[str], AbstractContextManager[None]]] = {"dask": _dask, "ray": _ray}
BACKENDS = (*LOCAL, *_CLUSTERS)
