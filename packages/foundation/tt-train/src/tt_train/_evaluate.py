"""Using a model without changing it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

from tt_autograd import no_grad
from tt_layers import Module
from tt_tensor import Tensor, concat

__all__ = ["Loss", "Metric", "average_over", "evaluation", "predictions"]

Loss: TypeAlias = Callable[[Tensor, Tensor], Tensor]
Metric: TypeAlias = Callable[[Tensor, Tensor], float]
Forward: TypeAlias = Callable[[Tensor], Tensor]
Pair: TypeAlias = tuple[Tensor, ...]  # (x, y): tt_data.Batch, or a pair


@contextmanager
def evaluation(model: Module) -> Iterator[None]:
    """Switch a model to evaluation without gradients, and each of its parts back to what it was.

    Args:
        model: The model.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def average_over(
    forward: Forward, batches: Iterable[Pair], loss: Loss, metrics: Mapping[str, Metric]
) -> dict[str, float]:
    """Average a loss and metrics over examples: a short last batch counts for what it is.

    Args:
        forward: From inputs `(N, ...)` to outputs `(N, ...)`.
        batches: Pairs of inputs and targets.
        loss: A loss with `reduction="mean"`.
        metrics: Metrics that are means over examples, by name.

    Returns:
        `loss` and each metric by its name.

    Raises:
        ValueError: There are no examples.
    """
    sums = dict.fromkeys(["loss", *metrics], 0.0)
    examples = 0
    for x, y in batches:
        outputs, count = forward(x), x.shape[0]
        sums["loss"] += loss(outputs, y).item() * count
        for name, metric in metrics.items():
            sums[name] += float(metric(outputs, y)) * count  # it may be a float32 or a Tensor, which no record can hold
        examples += count
    if examples == 0:
        raise ValueError("there is nothing to evaluate: the loader yields no examples (an iterator is used up once)")
    return {name: total / examples for name, total in sums.items()}


def predictions(forward: Forward, batches: Iterable[Tensor | Pair]) -> Tensor:
    """Run a model over batches and join what comes out.

    Args:
        forward: From inputs `(N, ...)` to outputs `(N, ...)`.
        batches: Inputs, or pairs of inputs and targets.

    Returns:
        The outputs of all batches, along the first axis.

    Raises:
        ValueError: There are no batches.
    """
    outputs = [forward(batch if isinstance(batch, Tensor) else batch[0]) for batch in batches]
    if not outputs:
        raise ValueError("there is nothing to predict: the loader yields no batches")
    return outputs[0] if len(outputs) == 1 else concat(outputs, axis=0)


def in_chunks(x: Tensor, size: int) -> Iterator[Tensor]:
    """Cut a tensor into pieces along its first axis.

    Args:
        x: The tensor `(N, ...)`.
        size: The length of each piece but the last.
    """
    if size < 1:
        raise ValueError(f"batch_size must be 1 or more, got {size}")
    for start in range(0, max(x.shape[0], 1), size):
        yield x[start : start + size]
