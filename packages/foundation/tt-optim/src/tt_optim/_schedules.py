"""Learning rates as functions of the step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from tt_optim._optimizer import Optimizer


class Schedule:
    """Sets the learning rate of every group of an optimizer, step by step.

    A subclass writes `value`, a pure function of the step; all else is here. Making a schedule sets the learning rates
    for step 0, and `step()`, called after each `optimizer.step()`, those for the next.

    Args:
        optimizer: Whose learning rates to set.
        base_lrs: One for each group; those that the optimizer has now without it. A group that is added later brings
            its own.
    """

    def __init__(self, optimizer: Optimizer, base_lrs: Sequence[float] | None = None) -> None:
        given = [group["lr"] for group in optimizer.param_groups] if base_lrs is None else base_lrs
        found = [float(rate) for rate in given]
        if len(found) != len(optimizer.param_groups):
            raise ValueError(
                f"{len(optimizer.param_groups)} parameter groups need as many learning rates, but received {found}."
            )
        self.optimizer = optimizer
        self.base_lrs = found
        self.last_step = 0
        self._set()

    def value(self, base: float, step: int) -> float:
        """Return the learning rate at a step for a group that started from `base`. Written by each schedule."""
        raise NotImplementedError(f"{type(self).__name__} does not say what the learning rate is: write value().")

    def lr_at(self, step: int, group: int = 0) -> float:
        """Return the learning rate at a step, without setting anything.

        Args:
            step: From 0.
            group: Of which parameter group.

        Raises:
            ValueError: If the step is negative.
        """
        if step < 0:
            raise ValueError(f"steps are counted from 0, but received {step}.")
        return self.value(self._bases()[group], step)

    def _bases(self) -> list[float]:
        """Return the base of every group; one that was added since starts from the learning rate it came with."""
        self.base_lrs += [float(group["lr"]) for group in self.optimizer.param_groups[len(self.base_lrs) :]]
        return self.base_lrs

    def step(self) -> None:
        """Go on to the next step: set the learning rates for it."""
        self.last_step += 1
        self._set()

    def _set(self) -> None:
        for number, group in enumerate(self.optimizer.param_groups):
            group["lr"] = self.lr_at(self.last_step, number)

    def state_dict(self) -> dict[str, object]:
        """Return where the schedule stands: plain numbers."""
        return {"step": self.last_step, "base_lrs": list(self._bases())}

    def load_state_dict(self, state: Mapping[str, object]) -> None:
        """Go to where a saved schedule stood, and set the learning rates for it.

        Args:
            state: What `state_dict` returned.

        Raises:
            ValueError: If it is not the state of a schedule with as many groups; nothing has been changed.
        """
        step, rates = state.get("step"), state.get("base_lrs")
        if isinstance(step, bool) or not isinstance(step, int) or step < 0:
            raise ValueError(f"a schedule's state has a step of 0 or more, but received {step!r}. Nothing was loaded.")
        groups = len(self._bases())
        if not isinstance(rates, Sequence) or len(rates) != groups or not all(map(_is_rate, rates)):
            raise ValueError(
                f"a state for {groups} groups has as many base_lrs, zero or more and finite, but received {rates!r}. "
                "Nothing was loaded."
            )
        self.last_step, self.base_lrs = step, [float(rate) for rate in rates]
        self._set()

    def __repr__(self) -> str:
        rates = ", ".join(f"{group['lr']:.4g}" for group in self.optimizer.param_groups)
        return f"{type(self).__name__}(step {self.last_step}, lr {rates})"


def _is_rate(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0.0 <= value < math.inf


def _positive(name: str, value: int) -> int:
    if value < 1:
        raise ValueError(f"{name} must be 1 or more, but received {value!r}.")
    return value


class Constant(Schedule):
    """The learning rate stays as it is.

    Example:
        >>> from tt_tensor import Tensor
        >>> from tt_optim import SGD
        >>> Constant(SGD([Tensor([1.0], requires_grad=True)], lr=0.5)).lr_at(100)
        0.5
    """

    def value(self, base: float, step: int) -> float:
        """Return `base`."""
        return base


class Step(Schedule):
    """The learning rate is multiplied by `factor` every so many steps.

    Args:
        optimizer: Whose learning rates to set.
        every: After how many steps it changes.
        factor: What it is multiplied by.

    Raises:
        ValueError: If `every` is less than 1 or `factor` is not positive.

    Example:
        >>> from tt_tensor import Tensor
        >>> from tt_optim import SGD
        >>> schedule = Step(SGD([Tensor([1.0], requires_grad=True)], lr=8.0), every=2, factor=0.5)
        >>> [schedule.lr_at(step) for step in range(5)]
        [8.0, 8.0, 4.0, 4.0, 2.0]
    """

    def __init__(self, optimizer: Optimizer, every: int, factor: float = 0.1) -> None:
        if not 0.0 < factor < math.inf:
            raise ValueError(f"factor must be positive, but received {factor!r}.")
        self.every = _positive("every", every)
        self.factor = factor
        super().__init__(optimizer)

    def value(self, base: float, step: int) -> float:
        """Return `base * factor ** (step // every)`."""
        return float(base * self.factor ** (step // self.every))


class Cosine(Schedule):
    """The learning rate falls along half a cosine to `min_lr`, and stays there.

    Args:
        optimizer: Whose learning rates to set.
        total_steps: When it arrives.
        min_lr: Where it arrives.

    Raises:
        ValueError: If `total_steps` is less than 1 or `min_lr` negative.

    Source: Loshchilov and Hutter, "SGDR", 2017.

    Example:
        >>> from tt_tensor import Tensor
        >>> from tt_optim import SGD
        >>> schedule = Cosine(SGD([Tensor([1.0], requires_grad=True)], lr=1.0), total_steps=10)
        >>> [round(schedule.lr_at(step), 6) for step in (0, 5, 10, 99)]
        [1.0, 0.5, 0.0, 0.0]
    """

    def __init__(self, optimizer: Optimizer, total_steps: int, min_lr: float = 0.0) -> None:
        if not 0.0 <= min_lr < math.inf:
            raise ValueError(f"min_lr must be zero or more, but received {min_lr!r}.")
        self.total_steps = _positive("total_steps", total_steps)
        self.min_lr = min_lr
        super().__init__(optimizer)

    def value(self, base: float, step: int) -> float:
        """Return the point on the cosine from `base` to `min_lr`."""
        return cosine(base, self.min_lr, step / self.total_steps)


class LinearWarmup(Schedule):
    """The learning rate rises in a straight line to its full value, then stays or follows another schedule.

    Step 0 already has `1 / warmup_steps` of it: a first step with a learning rate of zero would be wasted.

    Args:
        optimizer: Whose learning rates to set.
        warmup_steps: At the last of these it is at its full value.
        after: What follows; its step 0 is the first after the warm-up. Only this schedule is to be stepped.

    Raises:
        ValueError: If `warmup_steps` is less than 1, or `after` belongs to another optimizer.

    Example:
        >>> from tt_tensor import Tensor
        >>> from tt_optim import SGD
        >>> optimizer = SGD([Tensor([1.0], requires_grad=True)], lr=1.0)
        >>> schedule = LinearWarmup(optimizer, 4, after=Step(optimizer, every=1, factor=0.5))
        >>> [schedule.lr_at(step) for step in range(7)]
        [0.25, 0.5, 0.75, 1.0, 1.0, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, warmup_steps: int, after: Schedule | None = None) -> None:
        if after is not None and after.optimizer is not optimizer:
            raise ValueError("the schedule after the warm-up must be made with the same optimizer.")
        self.warmup_steps = _positive("warmup_steps", warmup_steps)
        self.after = after
        super().__init__(optimizer, None if after is None else after.base_lrs)

    def value(self, base: float, step: int) -> float:
        """Return the part of `base` reached, or what follows."""
        if step < self.warmup_steps:
            return base * (step + 1) / self.warmup_steps
        return base if self.after is None else self.after.value(base, step - self.warmup_steps)


class OneCycle(Schedule):
    """The learning rate rises to a peak along a cosine, and falls along another to almost nothing.

    Args:
        optimizer: Whose learning rates to set.
        max_lr: The peak: one for all groups, or one for each; the optimizer's own without it.
        total_steps: When the cycle ends; the learning rate stays at its last value afterwards.
        warmup: The part of the cycle, between 0 and 1, in which it rises.
        start_factor: The first learning rate is the peak divided by this.
        final_factor: The last is the first divided by this.

    Raises:
        ValueError: If a setting is out of its range.

    Source: Smith and Topin, "Super-convergence", 2018; the defaults are those of torch.optim.lr_scheduler.OneCycleLR.

    Example:
        >>> from tt_tensor import Tensor
        >>> from tt_optim import SGD
        >>> schedule = OneCycle(SGD([Tensor([1.0], requires_grad=True)]), max_lr=1.0, total_steps=10)
        >>> [round(schedule.lr_at(step), 6) for step in (0, 2, 9)]
        [0.04, 1.0, 4e-06]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float] | None = None,
        *,
        total_steps: int,
        warmup: float = 0.3,
        start_factor: float = 25.0,
        final_factor: float = 1e4,
    ) -> None:
        if not 0.0 < warmup < 1.0:
            raise ValueError(f"warmup is the rising part of the cycle, between 0 and 1, but received {warmup!r}.")
        for name, factor in (("start_factor", start_factor), ("final_factor", final_factor)):
            if not 1.0 <= factor < math.inf:
                raise ValueError(f"{name} divides the learning rate and must be 1 or more, but received {factor!r}.")
        if total_steps < 2:
            raise ValueError(f"a cycle rises and falls: total_steps must be 2 or more, but received {total_steps!r}.")
        self.total_steps, self.warmup = total_steps, warmup
        self.start_factor, self.final_factor = start_factor, final_factor
        rates = [max_lr] * len(optimizer.param_groups) if isinstance(max_lr, (int, float, np.number)) else max_lr
        if rates is not None and not all(0.0 < rate < math.inf for rate in rates):
            raise ValueError(f"max_lr must be positive, but received {max_lr!r}.")
        super().__init__(optimizer, rates)

    def value(self, base: float, step: int) -> float:
        """Return the point of the cycle whose peak is `base`."""
        top = self.warmup * self.total_steps - 1.0  # as PyTorch counts: the peak may lie between two steps
        first = base / self.start_factor
        if step < top:
            return cosine(first, base, step / top)
        return cosine(base, first / self.final_factor, (step - top) / (self.total_steps - 1.0 - top))


def cosine(start: float, stop: float, progress: float) -> float:
    """Return the point on half a cosine between two values; it stays at `stop` after `progress` 1.

    Example:
        >>> cosine(2.0, 0.0, 0.5)
        1.0
    """
    return stop + (start - stop) * (1.0 + math.cos(math.pi * min(max(progress, 0.0), 1.0))) / 2.0
