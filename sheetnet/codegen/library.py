"""Functions that a script defines where its lines use them, and only there."""

from __future__ import annotations

from sheetnet.codegen.writer import names_in
from sheetnet.concepts.arithmetic import WRITTEN_OUT
from sheetnet.network import Network

_ALWAYS = {
    "finite": '''
def finite(x):
    """x, and nan where it is infinite: on a sheet a number too large is an error, which stays."""
    return np.where(np.isfinite(x), x, np.nan)
''',
    "guarded": '''
def guarded(function, value):
    """The function's value; inf where that is too large, nan where there is none."""
    try:
        return function(value)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan
''',
    "libm": '''
def libm(function, x):
    """A function of the C library for each element of x.

    A sheet takes exp, ln and the like from there too; NumPy's own differ in the last digit.
    """
    values = [guarded(function, value) for value in np.ravel(x).tolist()]
    return np.array(values).reshape(np.shape(x))
''',
    "exp": '''
def exp(x):
    """e^x"""
    return libm(math.exp, x)
''',
    "ln": '''
def ln(x):
    """The natural logarithm."""
    return libm(math.log, x)
''',
    "running_sum": '''
def running_sum(terms):
    """The sum along the first axis, from the first term to the last, as a sheet adds.

    np.sum adds in another order, and so rounds differently.
    """
    return np.add.accumulate(terms)[-1]
''',
}

_FROM_BIAS = "finite(running_sum(np.vstack((b, (W * x).T))))"
_BIAS_AND_SUM = "finite(b + running_sum((W * x).T))"


def _weighted_sum(network: Network) -> str:
    """The function for z, with the forms that the network's layers need."""
    long = {layer.inputs > WRITTEN_OUT for layer in network.layers}
    if long == {True}:
        head, body = "b + (w1 x1 + w2 x2 + …)", f"    return {_BIAS_AND_SUM}\n"
    elif long == {False}:
        head, body = "b + w1 x1 + w2 x2 + …", f"    return {_FROM_BIAS}\n"
    else:
        head = "b + w1 x1 + w2 x2 + …"
        body = (
            f"    if len(x) > {WRITTEN_OUT}:  # here a sheet writes b + SUMPRODUCT(w, x)\n"
            f"        return {_BIAS_AND_SUM}\n"
            f"    return {_FROM_BIAS}\n"
        )
    return (
        "\ndef weighted_sum(b, W, x):\n"
        f'    """z = {head} of each unit: b (units), W (units, inputs), x (inputs)."""\n{body}'
    )


def needed(network: Network, text: str) -> list[str]:
    """The sources of the functions that ``text`` uses, in an order that can be run."""
    library = {**_ALWAYS, "weighted_sum": _weighted_sum(network)}
    used: set[str] = set()
    pending = names_in(text) & set(library)
    while pending:
        used |= pending
        pending = {n for u in pending for n in names_in(library[u])} & set(library) - used
    return [source.strip() for name, source in library.items() if name in used]
