"""Where a backward pass ends: the gradients of the leaves, while they arrive."""

from __future__ import annotations

import numpy as np
from tt_tensor import Array, Tensor


class LeafGradients:
    """The gradients of leaves: summed where several arrive, and in the end in memory that nobody else holds.

    A rule may return what is somebody else's (the gradient it was given, a saved input, a view of either), so a sum is
    written in place only into an array known to be ours.
    """

    __slots__ = ("_arrived",)

    def __init__(self) -> None:
        self._arrived: dict[Tensor, tuple[Array, bool]] = {}

    def add(self, leaf: Tensor, gradient: Array, owned: bool) -> None:
        """Add a gradient to what has arrived for `leaf`; `owned` says that nobody else holds the array."""
        present = self._arrived.get(leaf)
        if present is None:
            self._arrived[leaf] = gradient, owned
        elif present[1]:
            np.add(present[0], gradient, out=present[0])
        else:
            self._arrived[leaf] = np.asarray(present[0] + gradient), True

    def get(self, leaf: Tensor) -> Array | None:
        """Return what has arrived for a leaf, as an array that nobody else holds."""
        array, owned = self._arrived.get(leaf, (None, True))
        return array if array is None or owned else array.copy()

    def take(self, leaf: Tensor) -> Array | None:
        """Take out what has arrived for a leaf, to read only."""
        return self._arrived.pop(leaf, (None, True))[0]

    def items(self) -> list[tuple[Tensor, Array]]:
        """Return the leaves that gradients arrived for, with arrays that nobody else holds."""
        return [(leaf, array if owned else array.copy()) for leaf, (array, owned) in self._arrived.items()]
