"""The training as a script in NumPy: loops over epochs, batches and visits, all by hand."""

from __future__ import annotations

from collections.abc import Sequence

from sheetnet.codegen import common, data
from sheetnet.codegen.writer import Writer, grouped, names_in, renamed
from sheetnet.concepts.dropout import DROPOUT, rate_name
from sheetnet.concepts.stages import Slot
from sheetnet.ledger import input_of, needs_output_slope
from sheetnet.network import Layer, Network
from sheetnet.pipeline import (
    Stage,
    all_parameters,
    last_source,
    parameters_of,
    single_names,
    stages_of,
)
from sheetnet.problem import Problem
from sheetnet.randomness import ORDER_CODE


def numpy_script(problem: Problem, data_file: str | None, remarks: Sequence[str] = ()) -> str:
    """The source, complete; rows come from ``data_file`` or (None) stand in it."""
    body = Writer()
    network = problem.network
    _put_functions(body, network)
    data.put_functions(body, problem)
    common.put_draws(body, problem)
    data.put_data(body, problem, data_file)
    common.put_first_weights(body, problem)
    entries = [f'"{n}": finite({n}).tolist()' for n in _all_weights(network)]
    common.put_weights_function(body, entries)
    _put_training(body, problem)
    common.put_results(body, problem)
    imports = ["import numpy as np", "", 'np.seterr(all="ignore")  # a run that diverges says nan']
    return common.assembled(problem, "NumPy", imports, body, remarks)


def _all_weights(network: Network) -> list[str]:
    return [f"{base}{layer.index}" for layer in network.layers for base in "Wb"]


def _by_function(layer: Layer) -> bool:
    """Whether the activation is a function of its own: one part, and more than a name."""
    parts = layer.activation.parts
    return len(parts) == 1 and not parts[0].code.isidentifier()


def _loss_arguments(network: Network) -> list[str]:
    """What the loss asks for of the last layer, and ``y``."""
    names = ["z", *(part.name for part in network.layers[-1].activation.parts), "y"]
    used = names_in(network.loss.code)
    return [name for name in names if name in used]


def _put_functions(out: Writer, network: Network) -> None:
    """The activations, the loss and the optimizer, from their records."""
    activations = {la.activation.name: la.activation for la in network.layers if _by_function(la)}
    for activation in activations.values():
        (part,) = activation.parts
        out.function(activation.name, ["z"], part.maths, part.code)
    loss = network.loss
    out.function(loss.name, _loss_arguments(network), loss.maths, loss.code)
    optimizer = network.optimizer
    if not optimizer.slots:
        return
    with out.block(f"def {_step_name(network)}({', '.join(_step_arguments(network))}):"):
        out.line(f'"""What is added to a parameter: {optimizer.maths}"""')
        for slot in optimizer.slots:
            code = renamed(slot.code, {"before": slot.name})
            out.line(f"{slot.name} = {code}", slot.maths)
        out.line(f"step = {optimizer.step_code}")
        out.line(f"return {', '.join(['step', *_carried(network)])}")
    out.gap()


def _step_name(network: Network) -> str:
    return f"{network.optimizer.name}_step"


def _carried(network: Network) -> list[str]:
    return [slot.name for slot in network.optimizer.slots if slot.carried]


def _step_arguments(network: Network) -> list[str]:
    codes = "\n".join([*(s.code for s in network.optimizer.slots), network.optimizer.step_code])
    singles = [name for name in single_names(network) if name in names_in(codes)]
    return ["gradient", *singles, *_carried(network)]


def _put_training(out: Writer, problem: Problem) -> None:
    network, training = problem.network, problem.spec.training
    dropouts = [layer for layer in network.layers if layer.dropout]
    counts_updates = "update" in _step_arguments(network)
    out.title("Training")
    if network.batches and dropouts:
        out.line("batches = -(-rows // batch_size)", "the last one may be smaller")
    for name in _carried(network):
        for p in all_parameters(network):
            out.line(f"{name}{p} = np.zeros_like({p})")
    if counts_updates:
        out.line("update = 0")
    common.put_judgement_starts(out, problem)
    with out.block("for epoch in range(1, epochs + 1):"):
        order = "range(rows)"
        if training.shuffle:
            out.line(f"order = {ORDER_CODE}", "a new order of the samples, counted from 0")
            order = "order"
        elif network.batches:
            out.line("order = range(rows)")
            order = "order"
        for layer in dropouts:
            l, batches = layer.index, "batches" if network.batches else "rows"
            out.line(f"r{l} = dropout_uniforms({batches}, {layer.units}, {l}, epoch)")
        out.line("loss_sum = 0.0")
        index, each, over = "visit", "sample", order
        if network.batches:
            index, each, over = "batch", "start", "range(0, rows, batch_size)"
        head = f"{index}, {each} in enumerate({over})" if dropouts else f"{each} in {over}"
        with out.block(f"for {head}:"):
            if counts_updates:
                out.line("update = update + 1")
            _put_masks(out, dropouts, index)
            (_put_batch if network.batches else _put_visit)(out, network)
            _put_update(out, network)
        out.line("mean_loss = float(finite(loss_sum / rows))")
        if network.validates:
            _put_validation(out, network)
        common.put_epoch_line(out, problem)
        if network.validates:
            common.put_judgements(out, problem)


def _put_masks(out: Writer, dropouts: list[Layer], index: str) -> None:
    for layer in dropouts:
        l = layer.index
        mask = renamed(DROPOUT.code, {"uniform": f"r{l}[{index}]", "rate": rate_name(l)})
        out.line(f"k{l} = {mask}", f"dropout: {DROPOUT.maths}")


def _inner(slot: Slot) -> bool:
    """Whether a slot gathers over the samples of a batch."""
    return slot.carried and not slot.holds


def _put_batch(out: Writer, network: Network) -> None:
    """The visits of a batch, with what is gathered over them."""
    gathered = [stage for stage in stages_of(network) if _inner(stage.slot)]
    for stage in gathered:
        name = stage.slot.name
        if stage.slot.single:
            out.line(f"{name} = 0.0", stage.slot.maths)
        else:
            out.note(f"{stage.slot.maths}:")
            for p in all_parameters(network):
                out.line(f"{name}{p} = np.zeros_like({p})")
    with out.block("for sample in order[start : start + batch_size]:"):
        _put_visit(out, network)
        for stage in gathered:
            _put_stage(out, network, stage)


def _put_visit(out: Writer, network: Network) -> None:
    """Forward and backward for one sample."""
    out.line("x, y = X[sample], Y[sample]")
    _put_forward(out, network, training=True)
    out.line("loss_sum = loss_sum + loss")
    for layer in reversed(network.layers):
        _put_backward(out, network, layer)


def _put_forward(out: Writer, network: Network, *, training: bool) -> None:
    for layer in network.layers:
        l = layer.index
        source = input_of(network, layer) if training else ("x" if l == 1 else f"a{l - 1}")
        out.note(f"Forward, layer {l}: weighted sums z{l}, activations a{l}.")
        out.line(f"z{l} = weighted_sum(b{l}, W{l}, {source})")
        own = _own(layer)
        for part in layer.activation.parts:
            if _by_function(layer):
                out.line(f"{part.name}{l} = {layer.activation.name}(z{l})")
            else:
                note = "" if part.code.isidentifier() else part.maths
                out.line(f"{part.name}{l} = {renamed(part.code, own)}", note)
        if layer.dropout and training:
            out.line(f"d{l} = a{l} * k{l}", "what dropout leaves of it")
    own = _own(network.layers[-1])
    arguments = [own.get(name, name) for name in _loss_arguments(network)]
    out.line(f"loss = {network.loss.name}({', '.join(arguments)})")


def _own(layer: Layer) -> dict[str, str]:
    """The layer's quantities as records call them -> as the ledger does."""
    names = ("z", "da", *(part.name for part in layer.activation.parts))
    return {name: f"{name}{layer.index}" for name in names}


def _put_backward(out: Writer, network: Network, layer: Layer) -> None:
    l = layer.index
    gradients = " and ".join(f"d{base}{l}" for base, _ in parameters_of(layer))
    out.note(f"Backward, layer {l}: delta{l} = ∂L/∂z{l}, then the gradients {gradients}.")
    if l == len(network.layers):
        _put_output_delta(out, network)
    else:
        back = f"running_sum(delta{l + 1}[:, None] * W{l + 1})"
        mask = f" * k{l}" if layer.dropout else ""
        out.line(f"delta{l} = {back}{mask}{_slope(layer)}")
    out.line(f"dW{l} = np.outer(delta{l}, {input_of(network, layer)})")
    if layer.train_bias:
        out.line(f"db{l} = delta{l}")


def _slope(layer: Layer) -> str:
    """`` * f′(z)``, nothing where that is 1."""
    code = layer.activation.slope_code
    return f" * {grouped(renamed(code, _own(layer)))}" if code else ""


def _put_output_delta(out: Writer, network: Network) -> None:
    """δ of the last layer: in closed form, by the units' slope, or by the coupled one."""
    last, loss = network.layers[-1], network.loss
    l, own, activation = last.index, _own(last), last.activation
    closed = loss.deltas.get(activation.name)
    if closed is not None:
        out.line(f"delta{l} = {renamed(closed.code, own)}", closed.maths)
        return
    assert loss.slope_code is not None  # a loss without closed form has a slope
    slope = renamed(loss.slope_code, own)
    if needs_output_slope(network):
        assert activation.back_code is not None  # so do units that depend on each other
        out.line(f"da{l} = {slope}", loss.slope_maths)
        out.line(f"delta{l} = {renamed(activation.back_code, own)}")
    else:
        factor = _slope(last)
        out.line(f"delta{l} = {grouped(slope) if factor else slope}{factor}")


def _put_stage(out: Writer, network: Network, stage: Stage) -> None:
    """A quantity between the gradients and the update, for each parameter or once."""
    slot, parameters = stage.slot, all_parameters(network)
    if slot.single:
        if slot.sees_all:
            every = [f"{stage.source}{p}" for p in parameters]
            out.items("gradient = np.concatenate([np.ravel(g) for g in [", every, "]])")
        note = "" if _inner(slot) else slot.maths
        out.line(f"{slot.name} = {renamed(slot.code, {'before': slot.name})}", note)
        return
    if not _inner(slot):
        out.note(f"{slot.maths}:")
    known = {s.slot.name for s in stages_of(network) if not s.slot.single}
    for p in parameters:
        names = {name: f"{name}{p}" for name in known}
        names |= {"gradient": f"{stage.source}{p}", "before": f"{slot.name}{p}"}
        out.line(f"{slot.name}{p} = {renamed(slot.code, names)}")


def _put_update(out: Writer, network: Network) -> None:
    """From the gradients of a visit or a batch to the new weights."""
    own = network.optimizer.slots
    for stage in stages_of(network):
        if not _inner(stage.slot) and stage.slot not in own:
            _put_stage(out, network, stage)
    source = last_source(network)
    out.note("Update: u… is what is added to the weights.")
    for p in all_parameters(network):
        if own:
            carried = [f"{name}{p}" for name in _carried(network)]
            given = [f"{source}{p}", *_step_arguments(network)[1 : -len(carried) or None], *carried]
            call = f"{_step_name(network)}({', '.join(given)})"
            out.line(f"{', '.join([f'u{p}', *carried])} = {call}")
        else:
            step = renamed(network.optimizer.step_code, {"gradient": f"{source}{p}"})
            out.line(f"u{p} = {step}")
    for p in all_parameters(network):
        out.line(f"{p} = {p} + u{p}")


def _put_validation(out: Writer, network: Network) -> None:
    out.note("The held-out rows, dropout off.")
    out.line("loss_sum = 0.0")
    with out.block("for x, y in zip(X[rows:], Y[rows:]):"):
        _put_forward(out, network, training=False)
        out.line("loss_sum = loss_sum + loss")
    out.line("val_loss = float(finite(loss_sum / held_out))")
