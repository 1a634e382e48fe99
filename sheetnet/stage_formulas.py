"""The formulas of what stands between gradients and updates, quantity by quantity."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sheetnet.concepts.cells import worked_in
from sheetnet.concepts.parts import References
from sheetnet.concepts.stages import Slot
from sheetnet.concepts.stopping import STOPPED
from sheetnet.formula import Formula, same
from sheetnet.network import Network
from sheetnet.pipeline import all_parameters, last_source, single_names, stages_of


def stage_formulas(
    network: Network,
    refs: References,
    carried: Callable[[str, int], str] | None = None,
    start: Callable[[str, int], str] = lambda name, i: "0",
) -> dict[str, list[Formula]]:
    """From the row's gradients to its updates: name -> one formula per column.

    ``carried`` gives the cell of a quantity in the row before (name, column from 0); by
    default the one above. ``start`` gives what the first row finds instead. A quantity
    without cells is worked into those after it.
    """
    refs = dict(refs)
    above = carried or (lambda name, i: refs[name][i].replace("{r}", "{p}"))
    found: dict[str, list[Formula]] = {}
    parameters = all_parameters(network)
    single = {name: refs[name][0] for name in single_names(network) if name in refs}
    for stage in stages_of(network):
        slot = stage.slot
        if slot.single:
            every = ",".join(refs[f"{stage.source}{p}"].span for p in parameters)
            seen = {**single, "gradient": every}
            found[slot.name] = [
                _stage_formula(network, slot, seen, above(slot.name, 0), start(slot.name, 0))
            ]
            continue
        for parameter in parameters:
            name = f"{slot.name}{parameter}"
            found[name] = [
                _stage_formula(
                    network,
                    slot,
                    _seen(network, refs, single, stage.source, parameter, i),
                    above(name, i) if slot.carried else "",
                    start(name, i),
                )
                for i in range(len(refs[parameter]))
            ]
            if name not in refs:
                refs[name] = worked_in(formula.rest for formula in found[name])
    source = last_source(network)
    for parameter in parameters:
        found[f"u{parameter}"] = [
            same(
                _where_updating(
                    network,
                    network.optimizer.step_cell(_seen(network, refs, single, source, parameter, i)),
                    single,
                    "0",
                )
            )
            for i in range(len(refs[f"u{parameter}"]))
        ]
    return found


def _seen(
    network: Network,
    refs: References,
    single: Mapping[str, str],
    source: str,
    parameter: str,
    i: int,
) -> dict[str, str]:
    """The cells that a slot of one parameter sees."""
    slots = {
        stage.slot.name: refs[f"{stage.slot.name}{parameter}"][i]
        for stage in stages_of(network)
        if f"{stage.slot.name}{parameter}" in refs
    }
    return {**single, **slots, "gradient": refs[f"{source}{parameter}"][i]}


def _stage_formula(
    network: Network, slot: Slot, seen: Mapping[str, str], above: str, start: str
) -> Formula:
    """A carried slot finds ``start`` before the first row, and its own cell above after that."""

    def text(before: str) -> str:
        cell = slot.cell({**seen, "before": before})
        if not (slot.carried and slot.holds):
            return cell
        return _where_updating(network, cell, seen, before)

    return Formula(text(start), text(above)) if slot.carried else same(text(""))


def _where_updating(network: Network, text: str, seen: Mapping[str, str], held: str) -> str:
    """The text where the row makes an update, else held.

    All rows do, but for those inside of a batch and those after the end of training.
    """
    if network.batches and network.stops:
        return f"IF(AND({seen['last']}=1,{seen[STOPPED]}=0),{text},{held})"
    if network.stops:
        return f"IF({seen[STOPPED]}=0,{text},{held})"
    return f"IF({seen['last']}=1,{text},{held})" if network.batches else text
