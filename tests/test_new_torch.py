"""Specs that start from a state_dict: from .npz, .safetensors and PyTorch's own files."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import run

import sheetnet
from sheetnet.errors import ModelError, SheetnetError
from sheetnet.problem import load_problem

EXAMPLES = Path(__file__).parent.parent / "examples"
Array = NDArray[Any]


def state(*sizes: int, bias: bool = True, seed: int = 0, names: str = "net.{}") -> dict[str, Array]:
    """The weights of a stack of linear layers, activations between them counted as modules."""
    random = np.random.RandomState(seed)
    found = {}
    for k, (inputs, units) in enumerate(itertools.pairwise(sizes)):
        name = names.format(2 * k)
        found[f"{name}.weight"] = random.normal(size=(units, inputs))
        if bias:
            found[f"{name}.bias"] = random.normal(size=units)
    return found


@pytest.fixture
def iris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "iris.csv").write_bytes((EXAMPLES / "iris.csv").read_bytes())
    return tmp_path


LINE = ("new", "net.toml", "--data", "iris.csv", "--target", "species", "--from-torch")


def raw_inputs() -> Array:
    spec = sheetnet.load_spec("net.toml")
    return load_problem(spec).inputs.raw


def predictions(weights: dict[str, Array], x: Array, hidden: Any, last: Any) -> Array:
    """The network written out with plain matrices."""
    layers = sorted({name.rsplit(".", 1)[0] for name in weights}, key=lambda n: (len(n), n))
    for k, name in enumerate(layers):
        x = x @ weights[f"{name}.weight"].T.astype(float) + weights.get(f"{name}.bias", 0.0)
        x = last(x) if k == len(layers) - 1 else hidden(x)
    return x


def softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def first_row(spec: Any) -> tuple[int, Array]:
    """The row (from 0) of the data that the engine visits first, and what it predicts."""
    run = sheetnet.train(spec.override(epochs=1))
    return int(run["sample"][0]) - 1, run[f"a{len(spec.layers)}"][0]


def test_npz_needs_neither_torch_nor_scikit_learn(iris: Path) -> None:
    weights = state(4, 3, 3)
    np.savez("w.npz", **weights)
    code = (
        "import sys\n"
        "for name in ('torch', 'sklearn', 'safetensors'): sys.modules[name] = None\n"
        "sys.argv = ['sheetnet', *sys.argv[1:]]\n"
        "from sheetnet.cli import main\nmain()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *LINE, "w.npz", "--activation", "tanh"],
        capture_output=True, text=True, check=False, cwd=iris,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    spec = sheetnet.load_spec("net.toml")
    assert [layer.activation for layer in spec.layers] == ["tanh", "softmax"]
    assert (np.array(spec.layers[0].weights) == weights["net.0.weight"]).all()
    row, found = first_row(spec)
    expected = predictions(weights, raw_inputs(), np.tanh, softmax)[row]
    assert np.abs(found - expected).max() < 1e-12
    text = " ".join(Path("net.toml").read_text().replace("\n# ", " ").split())
    assert "taken in sorted order, 'setosa', 'versicolor', 'virginica'; --class" in text
    assert "Layers in this order: net.0 → net.2" in text
    assert run("export", "net.toml", "--epochs", 1).exit_code == 0
    assert sheetnet.verify("net.xlsx").agree


def test_classes_named_in_the_order_of_the_outputs(iris: Path) -> None:
    weights = state(4, 3)
    np.savez("w.npz", **weights)
    kinds = [("--class", kind) for kind in ("virginica", "setosa", "versicolor")]
    assert run(*LINE, "w.npz", *(word for pair in kinds for word in pair)).exit_code == 0
    spec = sheetnet.load_spec("net.toml")
    assert (np.array(spec.layers[0].weights) == weights["net.0.weight"][[1, 2, 0]]).all()
    assert np.array(spec.layers[0].bias).tolist() == weights["net.0.bias"][[1, 2, 0]].tolist()
    result = run(*LINE, "w.npz", "--class", "rose", "--force")
    assert "tells 'rose' apart, but 'species' holds 'setosa'" in result.stderr


def test_layers_without_bias(iris: Path) -> None:
    np.savez("w.npz", **state(4, 2, 3, bias=False))
    assert run(*LINE, "w.npz", "--activation", "relu").exit_code == 0
    spec = sheetnet.load_spec("net.toml")
    assert [layer.train_bias for layer in spec.layers] == [False, False]
    assert [layer.bias for layer in spec.layers] == [(0.0, 0.0), (0.0, 0.0, 0.0)]
    final = sheetnet.train(spec.override(epochs=1)).final
    assert (final["b1"] == 0).all() and (final["b2"] == 0).all()


@pytest.mark.parametrize(
    ("cells", "sizes", "extra", "activation", "loss"),
    [
        (["a", "b"], (2, 1), {}, "sigmoid", "binary_entropy"),
        (["a", "b"], (2, 2), {}, "softmax", "cross_entropy"),
        (["a", "b"], (2, 1), {"last_activation": "tanh"}, "tanh", "mse"),
        (["0", "1"], (2, 1), {}, "sigmoid", "binary_entropy"),
        (["0", "1"], (2, 2), {}, "softmax", "cross_entropy"),
        (["3", "7"], (2, 1), {}, "sigmoid", "binary_entropy"),
        (["1", "2", "3"], (2, 3), {}, "softmax", "cross_entropy"),
        (["0.5", "1.5", "2.25"], (2, 1), {}, "linear", "mse"),
        (["0", "1"], (2, 1), {"last_activation": "linear"}, "linear", "mse"),
        (["1", "2", "3"], (2, 1), {"last_activation": "linear"}, "linear", "mse"),
    ],
)
def test_the_last_activation_follows_from_the_target(
    tmp_path: Path,
    cells: list[str],
    sizes: tuple[int, ...],
    extra: dict[str, Any],
    activation: str,
    loss: str,
) -> None:
    rows = [f"{k / 7},{(k * k) % 5},{cells[k % len(cells)]}" for k in range(30)]
    (tmp_path / "d.csv").write_text("\n".join(["x1,x2,y", *rows]) + "\n")
    weights = state(*sizes)
    spec = sheetnet.new(tmp_path / "n.toml", data=tmp_path / "d.csv", target="y",
                        model=weights, **extra)  # fmt: skip
    assert (spec.layers[-1].activation, spec.training.loss) == (activation, loss)
    z = load_problem(spec).inputs.raw @ weights["net.0.weight"].T + weights["net.0.bias"]
    run = sheetnet.train(spec.override(epochs=1))
    assert np.abs(run["z1"][0] - z[int(run["sample"][0]) - 1]).max() < 1e-12


@pytest.mark.parametrize(
    ("cells", "outputs", "message"),
    [
        (["a", "b", "c"], 1, "has 1 output"),
        (["a", "b", "c"], 2, "has 2 outputs, which do not fit the target y"),
        (["1.5", "2", "3"], 2, "has 2 outputs, which do not fit the target y (regression)"),
    ],
)
def test_outputs_that_do_not_fit(
    tmp_path: Path, cells: list[str], outputs: int, message: str
) -> None:
    rows = [f"{k},{cells[k % 3]}" for k in range(30)]
    (tmp_path / "d.csv").write_text("\n".join(["x,y", *rows]) + "\n")
    with pytest.raises(ModelError) as caught:
        sheetnet.new(tmp_path / "n.toml", data=tmp_path / "d.csv", target="y",
                     model=state(1, outputs))  # fmt: skip
    assert message in str(caught.value)
    assert not (tmp_path / "n.toml").exists()


EYE = np.eye(4)


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"conv.weight": np.zeros((2, 1, 3, 3))}, "tensor 'conv.weight' (2×1×3×3)"),
        ({"0.weight": EYE, "1.weight": np.ones(4), "1.bias": np.ones(4)}, "tensor '1.weight' (4)"),
        ({"0.weight": EYE, "bn.running_mean": np.ones(4)}, "tensor 'bn.running_mean' (4)"),
        ({"0.weight": EYE, "n": np.array(3)}, "tensor 'n' (a single number)"),
        ({"0.bias": np.ones(4)}, "tensor '0.bias' has no weights beside it"),
        ({"0.weight": EYE, "0.bias": np.ones(3)}, "tensor '0.bias' has 3 numbers, but its layer 4"),
        ({"0.weight": EYE, "2.weight": np.ones((3, 5))},
         "tensor '2.weight' takes 5 inputs, but '0.weight' before it has 4 units"),
        ({"0.weight": EYE.astype(int)}, "tensor '0.weight' holds int64"),
        ({"0.weight": EYE * np.nan}, "tensor '0.weight' holds a number that is not finite"),
        ({}, "holds no tensor"),
        ({"0.weight": EYE[:3, :2]}, "takes 2 inputs, but iris.csv has 4 columns"),
    ],
)  # fmt: skip
def test_what_is_no_stack_of_linear_layers(
    iris: Path, tensors: dict[str, Array], message: str
) -> None:
    np.savez("w.npz", **tensors)
    result = run(*LINE, "w.npz", *(("--activation", "tanh") if len(tensors) > 1 else ()))
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr and result.stderr.count("\n") == 1
    assert not Path("net.toml").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "does not say the activations of its 2 hidden layers: name them with --activation"),
        (["--activation", "tan"], "--activation is 'tan' (did you mean 'tanh'?)"),
        (["--activation", "softmax"], "--activation is 'softmax'"),
        (["--activation", "tanh,relu,tanh"], "--activation names 3, but w.npz has 2 hidden layers"),
        (["--activation", "tanh", "--last-activation", "soft"], "--last-activation is 'soft'"),
        (["--activation", "tanh", "--trust-pickle"], "--trust-pickle needs --from-sklearn"),
        (["--activation", "tanh", "--scale", "big"], "data.scale is 'big'"),
    ],
)
def test_options_that_cannot_be(iris: Path, options: list[str], message: str) -> None:
    np.savez("w.npz", **state(4, 3, 3, 3))
    result = run(*LINE, "w.npz", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr and result.stderr.count("\n") == 1
    assert not Path("net.toml").exists()


def test_an_activation_for_each_layer(iris: Path) -> None:
    weights = state(4, 3, 2, 3)
    np.savez("w.npz", **weights)
    result = run(*LINE, "w.npz", "--activation", "tanh, leaky_relu", "--scale", "standard")
    assert (result.exit_code, result.stderr) == (0, "")
    spec = sheetnet.load_spec("net.toml")
    assert [layer.activation for layer in spec.layers] == ["tanh", "leaky_relu", "softmax"]
    assert spec.data.scale == "standard"


def test_broken_files(iris: Path) -> None:
    (iris / "w.npz").write_bytes(b"no archive")
    np.savez("objects.npz", **{"0.weight": np.array([{}], dtype=object)})
    np.save("one.npy", EYE)
    Path("one.npy").rename("one.npz")
    for name, message in (
        ("w.npz", "is not an .npz file"),
        ("objects.npz", "is not an .npz file of arrays of numbers"),
        ("one.npz", "is not an .npz file of named arrays"),
        ("missing.npz", "missing.npz is not there"),
    ):
        result = run(*LINE, name)
        assert (result.exit_code, result.stdout) == (2, ""), name
        assert message in result.stderr and result.stderr.count("\n") == 1, result.stderr


# --- safetensors


def test_safetensors_in_whatever_order(iris: Path) -> None:
    numpy_files = pytest.importorskip("safetensors.numpy")
    sizes = (4, *[4] * 11, 3)  # net.10 sorts before net.2
    weights = {name: value.astype(np.float32) for name, value in state(*sizes).items()}
    numpy_files.save_file(weights, "w.safetensors")
    result = run(*LINE, "w.safetensors", "--activation", "tanh")
    assert (result.exit_code, result.stderr) == (0, "")
    spec = sheetnet.load_spec("net.toml")
    for k, layer in enumerate(spec.layers):
        assert (np.array(layer.weights) == weights[f"net.{2 * k}.weight"].astype(float)).all()
    assert "Its weights are float32" in Path("net.toml").read_text()
    row, found = first_row(spec)
    expected = predictions(weights, raw_inputs(), np.tanh, softmax)[row]
    assert np.abs(found - expected).max() < 1e-12


def test_names_without_numbers_go_by_their_sizes(iris: Path) -> None:
    numpy_files = pytest.importorskip("safetensors.numpy")
    sizes = {"enter": (5, 4), "middle": (2, 5), "answer": (3, 2)}
    weights = {f"{name}.weight": np.ones(shape) for name, shape in sizes.items()}
    numpy_files.save_file(weights, "w.safetensors")
    assert run(*LINE, "w.safetensors", "--activation", "tanh").exit_code == 0
    assert "enter → middle → answer" in Path("net.toml").read_text()
    weights["another.weight"] = np.ones((5, 5))
    weights["more.weight"] = np.ones((5, 5))
    numpy_files.save_file(weights, "w.safetensors")
    result = run(*LINE, "w.safetensors", "--activation", "tanh", "--force")
    assert "the order of the layers another, answer" in result.stderr


def test_a_broken_safetensors_file(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("safetensors")
    (iris / "w.safetensors").write_bytes(b"\xff" * 40)
    result = run(*LINE, "w.safetensors")
    assert result.exit_code == 2 and "is not a .safetensors file" in result.stderr
    monkeypatch.setitem(sys.modules, "safetensors", None)
    result = run(*LINE, "w.safetensors")
    assert result.exit_code == 2 and "pip install 'sheetnet[safetensors]'" in result.stderr


# --- PyTorch's own files


def test_without_torch(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (iris / "w.pt").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "torch", None)
    result = run(*LINE, "w.pt")
    assert result.exit_code == 2 and "pip install 'sheetnet[torch]'" in result.stderr


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("nested", [False, True])
def test_a_module_of_torch(iris: Path, nested: bool, narrow: bool) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3))
    net = net.bfloat16() if narrow else net
    saved = net.state_dict()
    torch.save({"epoch": 3, "state_dict": saved} if nested else saved, "w.pt")
    result = run(*LINE, "w.pt", "--activation", "tanh")
    assert (result.exit_code, result.stderr) == (0, "")
    spec = sheetnet.load_spec("net.toml")
    with torch.no_grad():
        outputs = torch.softmax(net.double()(torch.tensor(raw_inputs())), dim=1).numpy()
    row, found = first_row(spec)
    assert np.abs(found - outputs[row]).max() < 1e-12
    again = sheetnet.new("again.toml", data="iris.csv", target="species", model=saved,
                         activation="tanh")  # fmt: skip
    assert again.layers == spec.layers


def test_files_that_torch_reads_otherwise(iris: Path) -> None:
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.Linear(2, 1))
    torch.save(net, "whole.pt")
    torch.save(net.state_dict(), "conv.pt")
    torch.save({"0.weight": torch.ones(3, 4), "lr": 0.1}, "mixed.pt")
    torch.save([1, 2], "list.pt")
    (iris / "broken.pt").write_bytes(b"no archive")
    for name, message in (
        ("whole.pt", "save it with torch.save(model.state_dict(), FILE)"),
        ("conv.pt", "tensor '0.weight' (2×1×3×3) is not one of a linear layer"),
        ("mixed.pt", "'lr' is a float, not a tensor"),
        ("list.pt", "holds a list, not a state_dict"),
        ("broken.pt", "is not a state_dict that can be read safely"),
    ):
        result = run(*LINE, name)
        assert (result.exit_code, result.stdout) == (2, ""), name
        assert message in result.stderr and result.stderr.count("\n") == 1, result.stderr


def test_a_pickle_that_runs_code_is_not_run(iris: Path) -> None:
    pytest.importorskip("torch")
    (iris / "evil.pt").write_bytes(b"cposix\nsystem\n(S'touch executed'\ntR.")
    assert run(*LINE, "evil.pt").exit_code == 2
    assert not (iris / "executed").exists()


def test_models_need_data(tmp_path: Path) -> None:
    with pytest.raises(SheetnetError, match="needs the data"):
        sheetnet.new(tmp_path / "n.toml", model=state(2, 1))
