"""The training as a script in PyTorch: a module, autograd and an optimizer of its own.

Masks, orders and first weights are the engine's. Losses and weights agree with it to
about 1e-12; not after a run has diverged, nor where an optimizer divides gradients that
are nothing but rounding errors by their own size.
"""

from __future__ import annotations

from collections.abc import Sequence

from sheetnet.codegen import common, data
from sheetnet.codegen.writer import Writer, names_in, renamed
from sheetnet.concepts.dropout import DROPOUT, rate_name
from sheetnet.errors import SpecError
from sheetnet.ledger import input_of, output_of
from sheetnet.network import Layer, Network
from sheetnet.pipeline import stages_of
from sheetnet.problem import Problem
from sheetnet.randomness import ORDER_CODE


def torch_script(problem: Problem, data_file: str | None, remarks: Sequence[str] = ()) -> str:
    """The source, complete; rows come from ``data_file`` or (None) stand in it.

    Raises :class:`SpecError` for a number that PyTorch's optimizer does not take.
    """
    network = problem.network
    _check_numbers(problem)
    body = Writer()
    _put_module(body, network)
    data.put_functions(body, problem)
    common.put_draws(body, problem)
    data.put_data(body, problem, data_file)
    body.line("X, Y = torch.tensor(X), torch.tensor(Y)")
    common.put_first_weights(body, problem)
    _put_network(body, network)
    entries = [
        f'"{short}{layer.index}": network.layer{layer.index}.{name}.tolist()'
        for layer in network.layers
        for short, name in (("W", "weight"), ("b", "bias"))
    ]
    common.put_weights_function(body, entries)
    _put_training(body, problem)
    common.put_results(body, problem)
    imports = ["import numpy as np", "import torch"]
    used = names_in(body.text)
    functional = ["import torch.nn.functional as F"] if "F" in used else []
    imports += [*functional, "from torch import nn", "", "torch.set_default_dtype(torch.float64)"]
    return common.assembled(problem, "PyTorch", imports, body, remarks)


def _check_numbers(problem: Problem) -> None:
    for name, limit in problem.network.optimizer.torch_below.items():
        value = problem.hyperparameters[name]
        if value >= limit:
            raise SpecError(
                f"training.{name} is {value:g}: PyTorch's {problem.network.optimizer.name} "
                f"takes numbers below {limit:g}"
            )


def _dropouts(network: Network) -> list[Layer]:
    return [layer for layer in network.layers if layer.dropout]


def _takes_z(network: Network) -> bool:
    """Whether the loss works on z of the last layer, its activation included."""
    return "z" in names_in(network.loss.torch)


def _put_module(out: Writer, network: Network) -> None:
    with out.block("class Network(nn.Module):"):
        out.line(f'"""{common.headline(network)}"""')
        out.line()
        with out.block("def __init__(self):"):
            out.line("super().__init__()")
            for layer in network.layers:
                out.line(f"self.layer{layer.index} = nn.Linear({layer.inputs}, {layer.units})")
        out.line()
        masks = [f"k{layer.index}=1.0" for layer in _dropouts(network)]
        out.items("def forward(", ["self", "x", *masks], "):")
        out.depth += 1
        for layer in network.layers:
            _put_layer(out, network, layer)
        out.depth -= 1
    out.gap()


def _put_layer(out: Writer, network: Network, layer: Layer) -> None:
    l, last = layer.index, layer.index == len(network.layers)
    out.line(f"z{l} = self.layer{l}({input_of(network, layer)})")
    activation = renamed(layer.activation.torch, {"z": f"z{l}"})
    if last and _takes_z(network):
        out.line(f"return z{l}", f"the loss takes z{l}; the prediction is {activation}")
        return
    out.line(f"a{l} = {activation}")
    if layer.dropout:
        out.line(f"d{l} = a{l} * k{l}", f"dropout: {DROPOUT.maths}")
    if last:
        out.line(f"return {output_of(layer)}")


def _put_network(out: Writer, network: Network) -> None:
    out.line()
    out.line("network = Network()")
    with out.block("with torch.no_grad():"):
        for layer in network.layers:
            l = layer.index
            out.line(f"network.layer{l}.weight.copy_(torch.tensor(W{l}))")
            out.line(f"network.layer{l}.bias.copy_(torch.tensor(b{l}))")
    for layer in network.layers:
        if not layer.train_bias:
            out.line(f"network.layer{layer.index}.bias.requires_grad_(False)")
    out.line("trained = [p for p in network.parameters() if p.requires_grad]")
    out.line(f"optimizer = torch.optim.{network.optimizer.torch}")


def _put_training(out: Writer, problem: Problem) -> None:
    network, shuffle = problem.network, problem.spec.training.shuffle
    dropouts = _dropouts(network)
    out.title("Training")
    if dropouts:
        out.line("batches = -(-rows // batch_size)", "the last one may be smaller")
    common.put_judgement_starts(out, problem)
    with out.block("for epoch in range(1, epochs + 1):"):
        note = "a new order of the samples, counted from 0" if shuffle else ""
        out.line(f"order = {ORDER_CODE if shuffle else 'np.arange(rows)'}", note)
        for layer in dropouts:
            l = layer.index
            out.line(f"r{l} = dropout_uniforms(batches, {layer.units}, {l}, epoch)")
        out.line("loss_sum = 0.0")
        with out.block(
            "for batch, start in enumerate(range(0, rows, batch_size)):"
            if dropouts
            else "for start in range(0, rows, batch_size):"
        ):
            _put_batch(out, network)
        out.line("mean_loss = loss_sum / rows")
        if network.validates:
            with out.block("with torch.no_grad():"):
                out.line(f"val_loss = {_loss(network, 'network(X[rows:])', 'Y[rows:]')}.item()")
        common.put_epoch_line(out, problem)
        if network.validates:
            common.put_judgements(out, problem)


def _loss(network: Network, output: str, y: str) -> str:
    return renamed(network.loss.torch, {"z": output, "a": output, "y": y})


def _put_batch(out: Writer, network: Network) -> None:
    """One update: forward, backward, what is done to the gradients, step."""
    masks = []
    for layer in _dropouts(network):
        l = layer.index
        mask = renamed(DROPOUT.code, {"uniform": f"r{l}[batch]", "rate": rate_name(l)})
        out.line(f"k{l} = torch.tensor({mask})")
        masks.append(f"k{l}")
    out.line("samples = order[start : start + batch_size]")
    out.items("output = network(", ["X[samples]", *masks], ")")
    out.line(f"loss = {_loss(network, 'output', 'Y[samples]')}")
    out.line("optimizer.zero_grad()")
    out.line("loss.backward()")
    for stage in stages_of(network):
        if stage.slot.torch:
            out.line(stage.slot.torch, stage.slot.maths)
    out.line("optimizer.step()")
    out.line("loss_sum += loss.item() * len(samples)")
