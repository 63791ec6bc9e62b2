"""What a block costs, counted from the operations that ran; and where the time of a training step goes.

Example:
    >>> costs = {cost.part: cost for cost in block_costs(embed_dim=64, num_heads=4, length=16)}
    >>> costs["mlp"].parameters, costs["mlp"].flops == 16 * 16 * 64 * 64
    (33088, True)
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np
from tt_autograd import no_grad
from tt_losses import cross_entropy
from tt_optim import AdamW
from tt_tensor import Interpreter, Primitive, Tensor, current, default_rng, from_numpy, use_interpreter

from tt_transformers._generate import LanguageModel
from tt_transformers._gpt import gpt_block

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "PART_OF",
    "PartCost",
    "PartTime",
    "block_costs",
    "block_formula",
    "matmul_flops",
    "plot_block_costs",
    "plot_step_times",
    "step_times",
]

T = TypeVar("T")

PART_OF: dict[str, str] = {
    "linear": "matrix layers",
    "linear_gelu": "matrix layers",
    "matmul": "matrix layers",
    "self_attention": "attention",
    "attention": "attention",
    "attention_weights": "attention",
    "rotary": "attention",
    "layer_norm": "norms",
    "rms_norm": "norms",
    "swiglu": "gate",
    "add": "residual sums",
    "embedding": "embeddings",
    "cross_entropy": "loss",
}


@dataclass(frozen=True)
class PartCost:
    """What one part of a block costs.

    Attributes:
        part: "attention", "mlp" or "norms".
        parameters: How many numbers it learns.
        flops: Multiplications and additions of the matrix products that ran, for one sequence.
    """

    part: str
    parameters: int
    flops: int


@dataclass(frozen=True)
class PartTime:
    """What one part of a training step takes.

    Attributes:
        part: See `PART_OF`; "optimizer" is the step of AdamW, "rest" what is none of the parts.
        forward: Seconds of the forward pass.
        backward: Seconds of the backward pass (of the step itself, for the optimizer).
    """

    part: str
    forward: float
    backward: float


def matmul_flops(primitive: str, shapes: Sequence[tuple[int, ...]], settings: Mapping[str, object]) -> int:
    """Return what the matrix products of one operation take: two operations for each pair of numbers multiplied.

    Every product of attention counts in full: a causal kernel may leave out up to half of it.

    Args:
        primitive: Its name.
        shapes: The shapes of its inputs.
        settings: Its settings.

    Example:
        >>> matmul_flops("linear", [(2, 5, 3), (3, 4), (4,)], {})
        240
    """
    if primitive in ("linear", "linear_gelu"):
        rows, (wide, out) = math.prod(shapes[0][:-1]), shapes[1]
        return 2 * rows * wide * out
    if primitive == "self_attention":  # (..., T, (H + 2 H_kv) * D): scores, then what they mix
        *batch, length, packed = shapes[0]
        queries, shared = cast("tuple[int, int]", settings["heads"])
        head = packed // (queries + 2 * shared)
        return math.prod(batch) * 4 * queries * length * length * head
    if primitive == "attention":  # q (..., H, T, D), k (..., H_kv, S, D)
        *batch, length, head = shapes[0]
        return math.prod(batch) * 4 * length * shapes[1][-2] * head
    if primitive == "attention_weights":
        *batch, length, head = shapes[0]
        return math.prod(batch) * 2 * length * shapes[1][-2] * head
    if primitive == "matmul":  # a vector is a row on the left, a column on the right
        left = shapes[0] if len(shapes[0]) > 1 else (1, *shapes[0])
        right = shapes[1] if len(shapes[1]) > 1 else (*shapes[1], 1)
        return 2 * math.prod(np.broadcast_shapes(left[:-2], right[:-2])) * left[-2] * left[-1] * right[-1]
    return 0


class _Count(Interpreter):
    """Adds up the matrix products of every operation that runs."""

    flops = 0

    def apply(self, primitive: Primitive, inputs: tuple[Tensor, ...], params: Mapping[str, object]) -> Tensor:
        self.flops += matmul_flops(primitive.name, [tensor.shape for tensor in inputs], params)
        return self.inner.apply(primitive, inputs, params)


def block_costs(
    embed_dim: int = 384, num_heads: int = 6, length: int = 256, *, rng: np.random.Generator | None = None
) -> list[PartCost]:
    """Count the parameters of a GPT block and the FLOPs of one sequence, from the arrays and the operations that ran.

    Args:
        embed_dim: The width of the stream (C).
        num_heads: How many heads.
        length: How long the sequence is (T).
        rng: Where weights and input come from.

    Returns:
        A row for attention, MLP and norms.
    """
    block = gpt_block(embed_dim, num_heads, 0.0, rng)
    x = Tensor(default_rng(rng).standard_normal((1, length, embed_dim)))
    parts: dict[str, Callable[[Tensor], Tensor]] = {
        "attention": block.attention,
        "mlp": block.mlp,
        "norms": lambda x: block.attention_norm(x) + block.mlp_norm(x),
    }
    sizes = {
        "attention": block.attention.num_parameters(),
        "mlp": block.mlp.num_parameters(),
        "norms": block.attention_norm.num_parameters() + block.mlp_norm.num_parameters(),
    }
    costs = []
    for name, part in parts.items():
        counter = _Count(current())
        with no_grad(), use_interpreter(counter):
            part(x)
        costs.append(PartCost(name, sizes[name], counter.flops))
    return costs


def block_formula(embed_dim: int, length: int) -> tuple[int, int]:
    """Return what the books say of a block: 12 C^2 + 13 C parameters, and 24 T C^2 + 4 T^2 C FLOPs for a sequence.

    Example:
        >>> block_formula(64, 16)
        (49984, 1638400)
    """
    C, T = embed_dim, length
    return 12 * C * C + 13 * C, 24 * T * C * C + 4 * T * T * C


class _Clock(Interpreter):
    """Measures every operation, forward and backward."""

    def __init__(self, inner: Interpreter) -> None:
        super().__init__(inner)
        self.forward: defaultdict[str, float] = defaultdict(float)
        self.backwards: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def _measure(self, into: defaultdict[str, float], primitive: Primitive) -> Iterator[None]:
        start = time.perf_counter()
        yield
        into[PART_OF.get(primitive.name, "rest")] += time.perf_counter() - start

    def apply(self, primitive: Primitive, inputs: tuple[Tensor, ...], params: Mapping[str, object]) -> Tensor:
        with self._measure(self.forward, primitive):
            return self.inner.apply(primitive, inputs, params)

    def apply_with_residuals(
        self, primitive: Primitive, inputs: tuple[Tensor, ...], params: Mapping[str, object]
    ) -> tuple[Tensor, object]:
        with self._measure(self.forward, primitive):
            return self.inner.apply_with_residuals(primitive, inputs, params)

    def pull(
        self, primitive: Primitive, rule: Callable[..., T], arguments: Sequence[object], params: Mapping[str, object]
    ) -> T:
        with self._measure(self.backwards, primitive):
            return self.inner.pull(primitive, rule, arguments, params)


def step_times(
    model: LanguageModel, batch: int = 4, steps: int = 3, *, rng: np.random.Generator | None = None
) -> list[PartTime]:
    """Measure where the time of a training step goes: forward, backward and AdamW, by part.

    Args:
        model: The model; its weights are changed.
        batch: How many sequences of `max_seq_len` a step sees.
        steps: How many steps to average, after one that warms up.
        rng: Where the ids come from.

    Returns:
        A row for each part, the slowest first.
    """
    ids = default_rng(rng).integers(0, model.vocab_size, (batch, model.max_seq_len + 1))
    x, y = from_numpy(ids[:, :-1].copy()), from_numpy(ids[:, 1:].copy())
    optimizer = AdamW(model.parameters(), lr=1e-4)
    clock = _Clock(current())
    with use_interpreter(clock):
        for step in range(steps + 1):
            if step == 1:  # the first one warmed up
                clock.forward.clear()
                clock.backwards.clear()
            model.zero_grad()
            cross_entropy(model(x), y, axis=-1).backward()
            start = time.perf_counter()
            optimizer.step()
            clock.backwards["optimizer"] += time.perf_counter() - start
    parts = clock.forward.keys() | clock.backwards.keys()
    rows = [PartTime(part, clock.forward[part] / steps, clock.backwards[part] / steps) for part in sorted(parts)]
    return sorted(rows, key=lambda row: -(row.forward + row.backward))


def _figure(name: str) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(f"{name} draws with matplotlib: pip install 'tt-transformers[plot]'.") from error
    return Figure(figsize=(7.0, 4.5), layout="constrained")


def plot_block_costs(costs: Mapping[int, Sequence[PartCost]]) -> Figure:
    """Draw what `block_costs` counted for several lengths: FLOPs for each token, stacked by part.

    Args:
        costs: The rows by length.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    figure = _figure("plot_block_costs")
    axes = figure.subplots()
    names = [str(length) for length in costs]
    below = np.zeros(len(costs))
    for part in ("mlp", "attention"):
        each = np.array(
            [next(row.flops for row in rows if row.part == part) / length for length, rows in costs.items()]
        )
        axes.bar(names, each, bottom=below, label=part)
        below += each
    axes.set(xlabel="length of the sequence", ylabel="FLOPs for each token")
    axes.set_title("Attention grows with the length, the MLP does not")
    axes.legend()
    return figure


def plot_step_times(times: Sequence[PartTime]) -> Figure:
    """Draw what `step_times` measured: a bar for each part, forward and backward.

    Args:
        times: The rows.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    figure = _figure("plot_step_times")
    axes = figure.subplots()
    names = [row.part for row in times][::-1]
    forward = np.array([1e3 * row.forward for row in times])[::-1]
    axes.barh(names, forward, label="forward")
    axes.barh(names, [1e3 * row.backward for row in times][::-1], left=forward, label="backward and update")
    axes.set(xlabel="milliseconds")
    axes.set_title("Where a training step's time goes")
    axes.legend()
    return figure
