"""What an optimizer remembers, and what it gains by it: two lessons, measured.

Example:
    >>> for memory in optimizer_bytes():
    ...     print(f"{memory.name:15} {memory.ratio:.2f}x")
    SGD             1.00x
    SGD, momentum   2.00x
    RMSprop         2.00x
    Adam            3.00x
    AdamW           3.00x
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import tt_autograd  # noqa: F401  (makes backward() known)
from tt_tensor import Array, Tensor

from tt_optim._optimizer import Optimizer
from tt_optim._optimizers import SGD, Adam, AdamW, RMSprop
from tt_optim._schedules import Schedule

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["OPTIMIZERS", "OptimizerBytes", "descend", "optimizer_bytes", "plot_ravine", "plot_schedules", "ravine"]

Make = Callable[[list[Tensor]], Optimizer]

OPTIMIZERS: dict[str, Make] = {
    "SGD": lambda params: SGD(params, lr=0.035),
    "SGD, momentum": lambda params: SGD(params, lr=0.035, momentum=0.9),
    "RMSprop": lambda params: RMSprop(params, lr=0.05),
    "Adam": lambda params: Adam(params, lr=0.2),
    "AdamW": lambda params: AdamW(params, lr=0.2),
}


class OptimizerBytes(NamedTuple):
    """What an optimizer's memory was measured to be.

    Attributes:
        name: Which optimizer.
        parameters: Bytes of the parameters.
        states: Bytes of the states kept between steps.
        ratio: Parameters and states together, over the parameters.
    """

    name: str
    parameters: int
    states: int
    ratio: float


def _bytes(tree: object) -> int:
    if isinstance(tree, (np.ndarray, Tensor)):
        return tree.nbytes
    if isinstance(tree, Mapping):
        return sum(_bytes(value) for value in tree.values())
    return 0


def optimizer_bytes(
    shapes: Iterable[tuple[int, ...]] = ((784, 128), (128,), (128, 10), (10,)),
    optimizers: Mapping[str, Make] | None = None,
) -> list[OptimizerBytes]:
    """Measure what each optimizer keeps between steps: let it take one, and add up the bytes of its arrays.

    Args:
        shapes: Those of the parameters.
        optimizers: What makes each; `OPTIMIZERS` without it.
    """
    shapes = list(shapes)
    measured = []
    for name, make in (OPTIMIZERS if optimizers is None else optimizers).items():
        params = [Tensor(np.zeros(shape, np.float32), requires_grad=True) for shape in shapes]
        for parameter in params:
            parameter.grad = Tensor(np.ones(parameter.shape, np.float32))
        optimizer = make(params)
        optimizer.step()
        parameters, states = sum(parameter.nbytes for parameter in params), _bytes(optimizer.state_dict()["state"])
        measured.append(OptimizerBytes(name, parameters, states, (parameters + states) / parameters))
    return measured


def ravine(point: Tensor, steepness: float = 50.0) -> Tensor:
    """Return the height `(x**2 + steepness * y**2) / 2`: a valley that is flat along and steep across.

    Args:
        point: The place, (2,).
        steepness: How many times steeper it is across.

    Example:
        >>> ravine(Tensor([2.0, 1.0])).item()
        27.0
    """
    return (point * point * Tensor([0.5, 0.5 * steepness])).sum()


def descend(
    steps: int = 100,
    start: tuple[float, float] = (10.0, 1.0),
    steepness: float = 50.0,
    optimizers: Mapping[str, Make] | None = None,
) -> dict[str, Array]:
    """Let each optimizer walk down the ravine, and record where it was.

    Plain descent must not use a rate above `2 / steepness`, or it would leap out of the valley; along the valley that
    is hardly a step at all. Momentum adds up what the steps agree on, and Adam gives each direction a step of its own.

    Args:
        steps: How many steps each may take.
        start: Where it begins.
        steepness: Of the ravine.
        optimizers: What makes each; `OPTIMIZERS` without it.

    Returns:
        For each name an array (steps + 1, 3): x, y and the height at each point of the path.

    Example:
        >>> paths = descend(steps=100)
        >>> bool(paths["SGD, momentum"][-1, 2] < 0.1 * paths["SGD"][-1, 2])
        True
    """
    paths = {}
    for name, make in (OPTIMIZERS if optimizers is None else optimizers).items():
        point = Tensor(start, dtype=np.float64, requires_grad=True)
        optimizer = make([point])
        path = np.empty((steps + 1, 3))
        for number in range(steps + 1):
            height = ravine(point, steepness)
            path[number] = *point.data, height.item()
            optimizer.zero_grad()
            height.backward()
            optimizer.step()
        paths[name] = path
    return paths


def _figure(width: float, height: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("this lesson draws with matplotlib: pip install 'tt-optim[plot]'.") from error
    return Figure(figsize=(width, height), layout="constrained")


def plot_ravine(paths: Mapping[str, Array], steepness: float = 50.0) -> Figure:
    """Draw what `descend` recorded: the paths on the ravine, and the height at each step.

    Args:
        paths: For each name an array (steps + 1, 3).
        steepness: Of the ravine.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    figure = _figure(11.0, 4.5)
    valley, heights = figure.subplots(1, 2)
    reach = max(float(np.abs(path[:, :2]).max()) for path in paths.values()) * 1.1
    along, across = np.meshgrid(np.linspace(-reach, reach, 200), np.linspace(-2.0, 2.0, 200))
    valley.contour(along, across, (along**2 + steepness * across**2) / 2, levels=15, colors="0.85")
    for name, path in paths.items():
        valley.plot(path[:, 0], path[:, 1], marker=".", markersize=3, linewidth=1, label=name)
        heights.plot(np.maximum(path[:, 2], 1e-16), label=name)
    valley.set(title="The way down a ravine", xlabel="x (flat)", ylabel="y (steep)", ylim=(-2.0, 2.0))
    heights.set(title="Height", xlabel="step", yscale="log")
    heights.legend()
    heights.grid(alpha=0.3)
    return figure


def plot_schedules(schedules: Mapping[str, Schedule] | Sequence[Schedule], steps: int) -> Figure:
    """Draw the learning rate at every step.

    Args:
        schedules: By name, or a list (then named by their classes).
        steps: How many steps to draw.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    figure = _figure(7.0, 4.0)
    axes = figure.subplots()
    items = schedules.items() if isinstance(schedules, Mapping) else [(type(s).__name__, s) for s in schedules]
    for name, schedule in items:
        axes.plot([schedule.lr_at(step) for step in range(steps)], label=name)
    axes.set(xlabel="step", ylabel="learning rate", title="Schedules")
    axes.legend()
    axes.grid(alpha=0.3)
    return figure
