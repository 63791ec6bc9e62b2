"""What a row of the table is, what TinyTorch makes of it, and how far two outcomes lie apart: without PyTorch."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import tinytorch as tt

TOLERANCE = {"float64": 1e-10, "float32": 2e-5}


@dataclass(frozen=True)
class Draw:
    """How one input is drawn; a floating-point input has its gradient compared, unless it is `fixed`."""

    make: Callable[[np.random.Generator], tt.Array]
    gradient: bool = True


@dataclass(frozen=True)
class Case:
    """One row: the same thing said in TinyTorch and in PyTorch.

    Args:
        name: The public function's name; what follows a colon tells the rows of one function apart.
        ours: Takes the inputs as tensors; returns a tensor, a number, or several of them.
        theirs: The same for PyTorch.
        draws: The inputs.
        tolerance: The greatest error, where it is not the usual one; the reason belongs beside it.
        around: What holds while our side runs, forward and backward: another kernel.
    """

    name: str
    ours: Callable[..., object]
    theirs: Callable[..., object]
    draws: tuple[Draw, ...]
    tolerance: float | None = None
    around: Callable[[], AbstractContextManager[object]] = nullcontext

    @property
    def function(self) -> str:
        """The name of the function compared."""
        return self.name.split(":")[0]

    def arrays(self, dtype: str) -> list[tt.Array]:
        """Draw the inputs; the same ones for every side and, but for rounding, every dtype."""
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        drawn = [draw.make(rng) for draw in self.draws]
        return [array.astype(dtype) if array.dtype.kind == "f" else array for array in drawn]

    def cotangent(self, index: int, shape: tuple[int, ...], dtype: str) -> tt.Array:
        """Draw what a backward pass through output number `index` starts from."""
        return np.random.default_rng(index + 1).standard_normal(shape).astype(dtype)


@dataclass
class Outcome:
    """What one side made of a case: its outputs, and the gradient of each input that has one."""

    outputs: list[tt.Array] = field(default_factory=list)
    gradients: list[tt.Array | None] = field(default_factory=list)


@dataclass(frozen=True)
class Errors:
    """How far two outcomes lie apart; infinitely far if anything but rounding differs, and `why` says what."""

    forward: float
    gradient: float
    why: str = ""

    def within(self, tolerance: float) -> bool:
        """Whether both are at most the tolerance; NaN never is."""
        return self.forward <= tolerance and self.gradient <= tolerance


def several(result: object) -> list[object]:
    """Return what a function gave as a list."""
    return list(result) if isinstance(result, tuple | list) else [result]


def evaluate(function: Callable[..., object], case: Case, dtype: str) -> Outcome:
    """Run TinyTorch's side of a case: forward, then backward from random cotangents of all its outputs at once."""
    inputs = []
    for draw, array in zip(case.draws, case.arrays(dtype), strict=True):
        wanted = draw.gradient and array.dtype.kind == "f"
        inputs.append(tt.Tensor(array, dtype=array.dtype, requires_grad=wanted))
    with case.around():
        return _run(function, case, dtype, inputs)


def _run(function: Callable[..., object], case: Case, dtype: str, inputs: list[tt.Tensor]) -> Outcome:
    results = several(function(*inputs))
    outcome = Outcome([each.detach().numpy() if isinstance(each, tt.Tensor) else np.asarray(each) for each in results])
    total = None
    for index, result in enumerate(results):
        if isinstance(result, tt.Tensor) and result.requires_grad:
            part = (result * tt.Tensor(case.cotangent(index, result.shape, dtype), dtype=dtype)).sum()
            total = part if total is None else total + part
    if total is not None:
        total.backward()
    for each in inputs:
        if each.requires_grad:
            outcome.gradients.append(None if each.grad is None else each.grad.numpy())
    return outcome


def distance(ours: tt.Array, theirs: tt.Array) -> tuple[float, str]:
    """Return the greatest error, relative to the size of the value where that is above 1, and what else is wrong."""
    if ours.shape != theirs.shape:
        return math.inf, f"shape {ours.shape}, should be {theirs.shape}"
    if ours.dtype.kind != theirs.dtype.kind or (ours.dtype.kind == "f" and ours.dtype != theirs.dtype):
        return math.inf, f"dtype {ours.dtype}, should be {theirs.dtype}"
    if not ours.size:
        return 0.0, ""
    a, b = ours.astype(np.float64), theirs.astype(np.float64)
    finite = np.isfinite(a) & np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return math.inf, "infinities or NaN where the other side has numbers, or others"
    error = np.abs(a[finite] - b[finite])
    size = np.maximum(1.0, np.abs(b[finite]))
    return float(np.max(error / size, initial=0.0)), ""


def apart(ours: Outcome, theirs: Outcome) -> Errors:
    """Compare two outcomes of one case."""
    if len(ours.outputs) != len(theirs.outputs):
        return Errors(math.inf, 0.0, f"{len(ours.outputs)} outputs, should be {len(theirs.outputs)}")
    forward, why = _worst(list(zip(ours.outputs, theirs.outputs, strict=True)))
    pairs = []
    for a, b in zip(ours.gradients, theirs.gradients, strict=True):
        if (a is None) != (b is None):
            return Errors(forward, math.inf, "no gradient" if a is None else "a gradient, should be none")
        if a is not None and b is not None:
            pairs.append((a, b))
    gradient, more = _worst(pairs)
    return Errors(forward, gradient, "; ".join(filter(None, (why, more))))


def _worst(pairs: Sequence[tuple[tt.Array, tt.Array]]) -> tuple[float, str]:
    found = [distance(a, b) for a, b in pairs]
    return max((error for error, _ in found), default=0.0), "; ".join(why for _, why in found if why)


def real(*shape: int) -> Draw:
    """Draw from the normal distribution."""
    return Draw(lambda rng: rng.standard_normal(shape))


def within(low: float, high: float, *shape: int) -> Draw:
    """Draw evenly between two numbers."""
    return Draw(lambda rng: rng.uniform(low, high, shape))


def classes(high: int, *shape: int) -> Draw:
    """Draw class numbers below `high`."""
    return Draw(lambda rng: rng.integers(0, high, shape))


def truth(*shape: int) -> Draw:
    """Draw truth values."""
    return Draw(lambda rng: rng.random(shape) < 0.5)


def given(values: npt.ArrayLike) -> Draw:
    """Use these values: an edge that chance would not find."""
    return Draw(lambda _: np.array(values))


def simplex(*shape: int) -> Draw:
    """Draw distributions over the last axis."""
    return Draw(lambda rng: rng.dirichlet(np.ones(shape[-1]), shape[:-1]))


def fixed(draw: Draw) -> Draw:
    """Leave an input's gradient out of the comparison."""
    return Draw(draw.make, gradient=False)
