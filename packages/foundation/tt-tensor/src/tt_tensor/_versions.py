"""How often, and when, the memory of a tensor was written in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tt_tensor._tensor import Tensor

# Ticks at every write in place, of any tensor: while it stands still, nothing that an operation kept can have changed.
_clock = [0]


def share_version(view: Tensor, source: Tensor) -> None:
    """Let `view` count in-place writes together with `source` if they share memory; for authors of packages."""
    if view._data is source._data or (view._data.base is not None and np.may_share_memory(view._data, source._data)):
        if source._version is None:
            source._version = [0, 0]
        view._version = source._version


def write_clock() -> int:
    """Return how many in-place writes there were in this process, to compare with `Tensor.written_at`.

    Example:
        >>> from tt_tensor import Tensor
        >>> x = Tensor([1.0])
        >>> before = write_clock()
        >>> x.assign_(2.0).written_at > before
        True
    """
    return _clock[0]


def increment_version(tensor: Tensor) -> None:
    """Say that a tensor's memory was written in place, so that backward can tell.

    Example:
        >>> from tt_tensor import Tensor
        >>> x = Tensor([1.0])
        >>> x.data[0] = 2.0
        >>> increment_version(x)
        >>> x.version
        1
    """
    if tensor._version is None:
        tensor._version = [0, 0]
    # Two threads never get the same tick: where nothing is called, Python does not turn to another thread.
    tensor._version[0] += 1
    tensor._version[1] = _clock[0] = _clock[0] + 1
