"""The rows of training: twenty steps of each optimizer, forty of each schedule, clipping, initial spread."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import tinytorch as tt
import torch
from torch.optim import lr_scheduler as lrs
from torch.optim.lr_scheduler import LRScheduler

from tools.parity.cases_tensor import row
from tools.parity.compare import Case, fixed, real

STEPS = 20
INIT = tt.nn.init


def walk(make: Callable[[list[tt.Tensor]], tt.optim.Optimizer]) -> Callable[[tt.Tensor, tt.Tensor], tt.Tensor]:
    """Return where each of twenty gradients takes a parameter under TinyTorch's optimizer."""

    def follow(start: tt.Tensor, gradients: tt.Tensor) -> tt.Tensor:
        parameter = tt.Tensor(start.numpy(), dtype=start.dtype, requires_grad=True)
        optimizer, places = make([parameter]), []
        for step in range(STEPS):
            parameter.grad = gradients[step] + 0.1 * parameter.detach()
            optimizer.step()
            places.append(parameter.detach().numpy().copy())
        return tt.from_numpy(np.stack(places))

    return follow


def their_walk(make: Callable[[list[torch.Tensor]], torch.optim.Optimizer]) -> Callable[..., torch.Tensor]:
    """Return where the same gradients take it under PyTorch's."""

    def follow(start: torch.Tensor, gradients: torch.Tensor) -> torch.Tensor:
        parameter = start.clone().requires_grad_()
        optimizer, places = make([parameter]), []
        for step in range(STEPS):
            parameter.grad = gradients[step] + 0.1 * parameter.detach()
            optimizer.step()
            places.append(parameter.detach().clone())
        return torch.stack(places)

    return follow


def optimizer_row(name: str, **settings: float | bool | tuple[float, float]) -> Case:
    """Compare an optimizer's walk under the same settings."""
    words = ", ".join(f"{key} {value}" for key, value in settings.items())
    ours, theirs = getattr(tt.optim, name), getattr(torch.optim, name)
    return row(f"{name}: {words}", walk(lambda ps: ours(ps, **settings)), their_walk(lambda ps: theirs(ps, **settings)),
               fixed(real(3, 4)), fixed(real(STEPS, 3, 4)))  # fmt: skip


OPTIMIZERS = [
    optimizer_row("SGD", lr=0.1),
    optimizer_row("SGD", lr=0.1, momentum=0.9),
    optimizer_row("SGD", lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.01),
    optimizer_row("SGD", lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    optimizer_row("RMSprop", lr=0.01),
    optimizer_row("RMSprop", lr=0.01, alpha=0.9, eps=1e-3, momentum=0.8, weight_decay=0.1),
    optimizer_row("Adam", lr=0.01),
    optimizer_row("Adam", lr=0.05, betas=(0.5, 0.9), eps=1e-3, weight_decay=0.1),
    optimizer_row("AdamW", lr=0.01),
    optimizer_row("AdamW", lr=0.05, betas=(0.5, 0.9), eps=1e-3, weight_decay=0.1),
]


def our_rates(make: Callable[[tt.optim.Optimizer], tt.optim.Schedule], steps: int) -> Callable[[], tt.Array]:
    """Return the learning rates of one of our lrs."""

    def rates() -> tt.Array:
        optimizer = tt.optim.SGD([tt.Tensor([0.0], requires_grad=True)], lr=0.5)
        schedule, found = make(optimizer), []
        for _ in range(steps):
            found.append(optimizer.param_groups[0]["lr"])
            schedule.step()
        return np.array(found)

    return rates


def their_rates(make: Callable[[torch.optim.Optimizer], LRScheduler], steps: int) -> Callable[[], tt.Array]:
    """Return the learning rates of one of PyTorch's; its warning about a step not taken is met by taking one."""

    def rates() -> tt.Array:
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
        schedule, found = make(optimizer), []
        for _ in range(steps):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if len(found) < steps:
                schedule.step()
        return np.array(found)

    return rates


def schedule_row(name: str, ours: Callable[..., tt.optim.Schedule], theirs: Callable[..., object], steps: int) -> Case:
    """Compare a schedule's learning rates over some steps."""
    return row(name, our_rates(ours, steps), their_rates(theirs, steps))


SCHEDULES = [
    schedule_row("Constant", tt.optim.Constant, lambda o: lrs.ConstantLR(o, 1.0), 40),
    schedule_row("Step", lambda o: tt.optim.Step(o, 7, 0.3), lambda o: lrs.StepLR(o, 7, 0.3), 40),
    schedule_row("Cosine", lambda o: tt.optim.Cosine(o, 39, 0.01), lambda o: lrs.CosineAnnealingLR(o, 39, 0.01), 40),
    schedule_row("LinearWarmup", lambda o: tt.optim.LinearWarmup(o, 8), lambda o: lrs.LinearLR(o, 1 / 8, 1.0, 7), 40),
    schedule_row("OneCycle", lambda o: tt.optim.OneCycle(o, 0.5, total_steps=40),
                 lambda o: lrs.OneCycleLR(o, 0.5, total_steps=40, cycle_momentum=False), 40),
]  # fmt: skip


def clipped(max_norm: float, kind: float) -> Callable[..., tuple[float, tt.Tensor, tt.Tensor]]:
    """Return our norm and gradients after clipping those given."""

    def clip(a: tt.Tensor, b: tt.Tensor) -> tuple[float, tt.Tensor, tt.Tensor]:
        tensors = [tt.Tensor(g.numpy() * 0, dtype=g.dtype, requires_grad=True) for g in (a, b)]
        for tensor, gradient in zip(tensors, (a, b), strict=True):
            tensor.grad = tt.Tensor(gradient.numpy(), dtype=gradient.dtype)
        norm = tt.optim.clip_grad_norm_(tensors, max_norm, kind)
        first, second = (tensor.grad for tensor in tensors)
        assert first is not None
        assert second is not None
        return norm, first, second

    return clip


def their_clipped(max_norm: float, kind: float) -> Callable[..., tuple[float, torch.Tensor, torch.Tensor]]:
    """Return PyTorch's."""

    def clip(a: torch.Tensor, b: torch.Tensor) -> tuple[float, torch.Tensor, torch.Tensor]:
        tensors = [torch.zeros_like(g, requires_grad=True) for g in (a, b)]
        for tensor, gradient in zip(tensors, (a, b), strict=True):
            tensor.grad = gradient.clone()
        norm = torch.nn.utils.clip_grad_norm_(tensors, max_norm, kind)
        return float(norm), tensors[0].grad, tensors[1].grad

    return clip


def clipped_value(a: tt.Tensor) -> tt.Tensor:
    """Return a gradient after our clipping to 0.3."""
    tensor = tt.Tensor(a.numpy() * 0, dtype=a.dtype, requires_grad=True)
    tensor.grad = tt.Tensor(a.numpy(), dtype=a.dtype)
    tt.optim.clip_grad_value_([tensor], 0.3)
    assert tensor.grad is not None
    return tensor.grad


CLIPPING = [
    *(
        row(f"clip_grad_norm_: {bound}, norm {kind}", clipped(bound, kind), their_clipped(bound, kind),
            fixed(real(3, 4)), fixed(real(5)), tolerance=tolerance)
        # PyTorch divides by the norm + 1e-6, so that its clipped gradients are a little shorter than asked.
        for bound, tolerance in ((1.0, 2e-6), (1e6, None)) for kind in (1.0, 2.0, math.inf)
    ),
    row("clip_grad_value_", clipped_value, lambda a: torch.clamp(a, -0.3, 0.3), fixed(real(3, 4))),
]  # fmt: skip

FANS = (1000, 500)


def spread(name: str) -> Callable[[], tt.Array]:
    """Return the deviation, times 10, that one of our initialisers gives a weight (in, out)."""
    return lambda: 10 * getattr(INIT, name)(tt.zeros(*FANS), rng=np.random.default_rng(0)).numpy().std(dtype="float64")


def their_spread(name: str) -> Callable[[], tt.Array]:
    """Return that of PyTorch's, whose weight is (out, in)."""
    weight, generator = torch.zeros(FANS[::-1]), torch.Generator().manual_seed(0)
    fill = getattr(torch.nn.init, name)
    return lambda: 10 * fill(weight, generator=generator).numpy().std(dtype="float64")


INITIALISERS = [
    *(row(f"gain: {n}", lambda n=n: INIT.gain(n), lambda n=n: float(torch.nn.init.calculate_gain(n)))
      for n in ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu")),
    row("fans", lambda: list(INIT.fans(FANS)), lambda: [1000, 500]),
    row("zeros_", lambda: INIT.zeros_(tt.ones(*FANS)), lambda: torch.nn.init.zeros_(torch.ones(FANS))),
    row("ones_", lambda: INIT.ones_(tt.zeros(*FANS)), lambda: torch.nn.init.ones_(torch.zeros(FANS))),
    row("constant_", lambda: INIT.constant_(tt.ones(2), 0.3), lambda: torch.nn.init.constant_(torch.ones(2), 0.3)),
    *(row(f"{n}: deviation", spread(n), their_spread(n), tolerance=0.02)  # two samples of half a million numbers each
      for n in ("xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_")),
]  # fmt: skip

CASES = [*OPTIMIZERS, *SCHEDULES, *CLIPPING, *INITIALISERS]
