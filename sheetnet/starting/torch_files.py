"""Tensors by name from .safetensors, .npz and PyTorch's own files.

Only the last need PyTorch; none of them run code of the file.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sheetnet.errors import ModelError

FLOAT32_BYTES = 4

NESTED = ("state_dict", "model_state_dict", "model")
"""Where checkpoints of training keep the state_dict."""


def load_state(path: Path) -> tuple[dict[str, Any], bool]:
    """Tensors by name, and whether they stand in the order of the model.

    Raises :class:`ModelError` where the file is none or its reader is not installed.
    """
    if not path.is_file():
        raise ModelError(f"--from-torch: {path} is not there")
    readers = {".npz": (_npz, True), ".safetensors": (_safetensors, False)}
    read, ordered = readers.get(path.suffix.lower(), (_torch, True))
    try:
        return read(path), ordered
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror or error})") from None


def _npz(path: Path) -> dict[str, Any]:
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise ModelError(f"{path} is not an .npz file of named arrays")
        with file:
            return {name: file[name] for name in file.files}
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path} is not an .npz file of arrays of numbers ({error})") from None


def _safetensors(path: Path) -> dict[str, Any]:
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
    except ImportError:
        raise ModelError(
            "a .safetensors file needs safetensors: pip install 'sheetnet[safetensors]'"
        ) from None
    try:
        return dict(load_file(path))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{path} is not a .safetensors file of float32 or float64 "
            f"({type(error).__name__}: {error})"
        ) from None


def _torch(path: Path) -> dict[str, Any]:
    try:
        import torch
    except ImportError:
        raise ModelError(
            f"{path.name} needs PyTorch: pip install 'sheetnet[torch]', or save the state_dict as "
            ".safetensors or .npz"
        ) from None
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # whatever a broken or a forbidden pickle raises
        first = str(error).strip().split("\n", 1)[0][:200]
        raise ModelError(
            f"{path} is not a state_dict that can be read safely ({type(error).__name__}: "
            f"{first}): save it with torch.save(model.state_dict(), FILE)"
        ) from None
    for key in NESTED:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    if not isinstance(found, Mapping):
        raise ModelError(f"{path} holds a {type(found).__name__}, not a state_dict")
    return arrays_of(found)


def arrays_of(state: Mapping[str, Any]) -> dict[str, Any]:
    """NumPy's arrays of a state_dict, in its order; raises :class:`ModelError`."""
    return {str(name): _array(str(name), tensor) for name, tensor in state.items()}


def _array(name: str, tensor: Any) -> Any:
    if isinstance(tensor, np.ndarray):
        return tensor
    if not hasattr(tensor, "detach"):
        raise ModelError(f"{name!r} is a {type(tensor).__name__}, not a tensor")
    try:
        tensor = tensor.detach().cpu()
        if tensor.is_floating_point() and tensor.element_size() < FLOAT32_BYTES:
            tensor = tensor.float()  # NumPy knows not all of the narrow ones
        return tensor.numpy()
    except (TypeError, RuntimeError, NotImplementedError) as error:
        first = str(error).split("\n", 1)[0]
        raise ModelError(f"tensor {name!r} is no plain array ({first})") from None
