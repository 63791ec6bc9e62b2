"""Parameter groups: who is trained, and by which settings, each checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias, TypedDict

import numpy as np
from tt_tensor import Tensor

Named: TypeAlias = "tuple[str, Tensor]"
Params: TypeAlias = "Iterable[Tensor] | Iterable[Named]"
TINY = 2.0**-126  # below float32's smallest normal number, eps could vanish


class ParamGroup(TypedDict, total=False):
    """Parameters that share their settings; an optimizer fills in those that it knows."""

    params: list[Tensor]
    names: list[str]
    lr: float
    weight_decay: float
    momentum: float
    dampening: float
    nesterov: bool
    alpha: float
    betas: tuple[float, float]
    eps: float


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} must be a number, but received {value!r}.")
    return float(value)


def plain(settings: Mapping[str, object]) -> dict[str, object]:
    """Return settings with NumPy's numbers as Python's: a float64 one would lift float32 arithmetic to float64."""
    return {
        name: tuple(map(_plain, value)) if isinstance(value, tuple) else _plain(value)
        for name, value in settings.items()
    }


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value


def at_least_zero(name: str, value: object) -> None:
    """Refuse what is negative, infinite or not a number."""
    number = _number(name, value)
    if not (math.isfinite(number) and number >= 0.0):
        raise ValueError(f"{name} must be zero or more, and finite, but received {value!r}.")


def below_one(name: str, value: object) -> None:
    """Refuse a decay outside [0, 1): at 1 the running mean would never move."""
    if not 0.0 <= _number(name, value) < 1.0:
        raise ValueError(f"{name} must be at least 0 and below 1, but received {value!r}.")


def pair_below_one(name: str, value: object) -> None:
    """Refuse anything but two decays in [0, 1)."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise TypeError(f"{name} must be two numbers such as (0.9, 0.999), but received {value!r}.")
    for position, beta in enumerate(value):
        below_one(f"{name}[{position}]", beta)


def guard(name: str, value: object) -> None:
    """Refuse an eps that would let a parameter with a gradient of zero be divided by zero."""
    number = _number(name, value)
    if not (math.isfinite(number) and number >= TINY):
        raise ValueError(
            f"{name} keeps a step from dividing by zero, so it must be positive and no smaller than float32 can hold "
            f"({TINY:.1e}), but received {value!r}. 1e-8 is usual."
        )


def truth(name: str, value: object) -> None:
    """Refuse anything but True and False."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, but received {value!r}.")


CHECKS: dict[str, Callable[[str, object], None]] = {
    "lr": at_least_zero,
    "weight_decay": at_least_zero,
    "momentum": below_one,
    "dampening": at_least_zero,
    "nesterov": truth,
    "alpha": below_one,
    "betas": pair_below_one,
    "eps": guard,
}


def check_settings(group: Mapping[str, object]) -> None:
    """Refuse settings that make no sense, each by itself and together.

    Raises:
        ValueError: If a value is out of its range; the message names it.
        TypeError: If a value is of the wrong kind.
    """
    for name, check in CHECKS.items():
        if name in group:
            check(name, group[name])
    if group.get("nesterov") and (group.get("momentum") == 0.0 or group.get("dampening") != 0.0):
        raise ValueError(
            "nesterov looks ahead along the momentum: it needs momentum above 0 and dampening of 0, but received "
            f"momentum={group.get('momentum')!r} and dampening={group.get('dampening')!r}."
        )


def named(params: object, start: int) -> list[Named]:
    """Return parameters with their names; those that come without one are numbered from `start`.

    Args:
        params: A tensor, tensors, or pairs of name and tensor.
        start: The number of the first.

    Raises:
        TypeError: If there is something else among them.
    """
    if isinstance(params, Tensor):
        params = [params]
    if not isinstance(params, Iterable):
        raise TypeError(
            f"parameters must be tensors or (name, tensor) pairs, but received {params!r}. Pass model.parameters()."
        )
    pairs: list[Named] = []
    for number, item in enumerate(params, start):
        if isinstance(item, Tensor):
            pairs.append((f"parameter {number} with shape {item.shape}", item))
        elif isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str) and isinstance(item[1], Tensor):
            pairs.append((f"parameter '{item[0]}' with shape {item[1].shape}", item[1]))
        else:
            raise TypeError(
                f"parameter {number} must be a tensor or a (name, tensor) pair, but received {item!r}. Pass "
                "model.parameters() or model.named_parameters()."
            )
    return pairs
