"""Modules that compute with a case's inputs instead of parameters of their own."""

from __future__ import annotations

import tinytorch as tt


def with_arrays(module: tt.nn.Module, **tensors: tt.Tensor) -> tt.nn.Module:
    """Put tensors where a module keeps its parameters or buffers; gradients then reach them. `a__b` is b of its a."""
    for path, tensor in tensors.items():
        *owners, name = path.split("__")
        owner = module
        for each in owners:
            owner = getattr(owner, each)
        setattr(owner, name, tensor)
    return module
