"""PyTorch's side of a case."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import torch

from tools.parity.compare import Case, Outcome, several


def evaluate(function: Callable[..., object], case: Case, dtype: str) -> Outcome:
    """Run PyTorch's side of a case as `compare.evaluate` runs ours."""
    inputs = []
    for draw, array in zip(case.draws, case.arrays(dtype), strict=True):
        wanted = draw.gradient and array.dtype.kind == "f"
        inputs.append(torch.tensor(array).requires_grad_(wanted))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # kl_div advises against the very reduction that is compared
        results = several(function(*inputs))
    outcome = Outcome(
        [each.detach().numpy() if isinstance(each, torch.Tensor) else np.asarray(each) for each in results]
    )
    total = None
    for index, result in enumerate(results):
        if isinstance(result, torch.Tensor) and result.requires_grad:
            part = (result * torch.tensor(case.cotangent(index, tuple(result.shape), dtype))).sum()
            total = part if total is None else total + part
    if total is not None:
        total.backward()
    for each in inputs:
        if each.requires_grad:
            outcome.gradients.append(None if each.grad is None else each.grad.numpy())
    return outcome
