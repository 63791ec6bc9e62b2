"""What a layer costs, and why its first weights matter: two lessons, measured.

Example:
    >>> from tt_tensor import Tensor, zeros
    >>> from tt_layers import Linear
    >>> cost = layer_costs(Linear(784, 128), zeros((64, 784)))[0]
    >>> cost.parameters, cost.parameter_bytes, cost.activation_bytes
    (100480, 401920, 32768)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from tt_activations import relu
from tt_tensor import Tensor, TensorLike, as_tensor, default_rng

from tt_layers import init
from tt_layers._layers import Linear
from tt_layers._module import Module
from tt_layers._parameter import Parameter
from tt_layers._summary import LayerCost, measure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["INITIALISERS", "LayerCost", "layer_costs", "plot_variance", "variance_through_depth"]

Fill = Callable[[Parameter, np.random.Generator], object]

INITIALISERS: dict[str, Fill] = {
    "normal, std 0.01": lambda weight, rng: init.normal_(weight, 0.0, 0.01, rng=rng),
    "normal, std 1": lambda weight, rng: init.normal_(weight, 0.0, 1.0, rng=rng),
    "PyTorch's Linear": lambda weight, rng: init.kaiming_uniform_(weight, a=5.0**0.5, rng=rng),
    "LeCun": lambda weight, rng: init.lecun_normal_(weight, rng=rng),
    "Xavier": lambda weight, rng: init.xavier_normal_(weight, rng=rng),
    "Kaiming": lambda weight, rng: init.kaiming_normal_(weight, rng=rng),
}


def layer_costs(model: Module, example: TensorLike) -> list[LayerCost]:
    """Measure the parameters of every module and the activations it makes of an example, from real arrays.

    Args:
        model: The model; the first row is all of it.
        example: An input, with the batch size to measure for.
    """
    return measure(model, as_tensor(example))


def variance_through_depth(
    depth: int = 30,
    width: int = 256,
    batch: int = 128,
    *,
    activation: Callable[[Tensor], Tensor] = relu,
    initialisers: Mapping[str, Fill] | None = None,
    rng: np.random.Generator | None = None,
) -> dict[str, list[float]]:
    """Measure the mean square of the activations after each of many layers, for each initialiser.

    The input has mean square one. With ReLU, a layer keeps it if its weights have the variance 2 / fan_in: then half of
    the units, silent, are made up for. Any other variance multiplies it by the same factor once a layer.

    Args:
        depth: How many layers, each a product with a square weight and an activation.
        width: Units in each layer.
        batch: How many random inputs to send through.
        activation: What follows each product.
        initialisers: What fills a weight, by name; `INITIALISERS` without it.
        rng: Where inputs and weights come from.

    Returns:
        For each name the mean squares: of the input, then after each layer.

    Example:
        >>> travelled = variance_through_depth(depth=10, rng=np.random.default_rng(0))
        >>> travelled["LeCun"][10] < 0.01 < 0.2 < travelled["Kaiming"][10] < 5.0
        True
    """
    generator = default_rng() if rng is None else rng
    start = generator.standard_normal((batch, width), dtype=np.float32)
    travelled = {}
    for name, fill in (INITIALISERS if initialisers is None else initialisers).items():
        x = Tensor(start)
        squares = [mean_square(x)]
        for _ in range(depth):
            layer = Linear(width, width, bias=False, rng=generator).requires_grad_(False)
            fill(layer.weight, generator)
            x = activation(layer(x))
            squares.append(mean_square(x))
        travelled[name] = squares
    return travelled


def mean_square(x: Tensor) -> float:
    """Return the mean of the squares, summed in float64 so that neither 1e-40 nor 1e+40 is lost."""
    return float(np.mean(np.square(x.data, dtype=np.float64)))


def plot_variance(travelled: Mapping[str, list[float]]) -> Figure:
    """Draw what `variance_through_depth` measured: one line for each initialiser, on a logarithmic axis.

    Args:
        travelled: The mean squares by name.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plot_variance draws with matplotlib: pip install 'tt-layers[plot]'.") from error
    figure = Figure(figsize=(7.0, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, squares in travelled.items():
        axes.plot(range(len(squares)), np.maximum(squares, 1e-45), label=name)
    axes.set(yscale="log", xlabel="layers passed", ylabel="mean square of the activations")
    axes.set_title("Which signal arrives?")
    axes.legend()
    axes.grid(alpha=0.3)
    return figure
