"""A batch, and how samples are put together into one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from tt_tensor import Array, Tensor, wrap

from ._errors import DataError

Field: TypeAlias = "Tensor | Array | np.generic | bool | int | float"
Sample: TypeAlias = "Field | tuple[Field, ...]"


class Batch(tuple[Tensor, ...]):
    """Tensors that belong together, the batch axis first: it unpacks, and `.x` and `.y` are its first two.

    Args:
        fields: Tensors of equal length.

    Raises:
        DataError: There are none, or their lengths differ.

    Example:
        >>> x, y = batch = Batch(Tensor([[1.0], [2.0]]), Tensor([0, 1]))
        >>> batch.x.shape, batch.y.shape, batch.size
        ((2, 1), (2,), 2)
    """

    __slots__ = ()

    def __new__(cls, *fields: Tensor) -> Batch:
        lengths = [field.shape[0] if field.ndim else None for field in fields]
        if not fields or None in lengths or len(set(lengths)) > 1:
            raise DataError(f"the fields of a batch must have one length along axis 0; got {lengths}")
        return super().__new__(cls, fields)

    def __getnewargs__(self) -> tuple[Tensor, ...]:
        return tuple(self)

    @property
    def x(self) -> Tensor:
        """The first field: the inputs."""
        return self[0]

    @property
    def y(self) -> Tensor:
        """The second field: the targets.

        Raises:
            DataError: The samples have no second field.
        """
        if len(self) < 2:
            raise DataError("this batch has no y: its samples have one field only")
        return self[1]

    @property
    def size(self) -> int:
        """How many samples it holds."""
        return self[0].shape[0]


def as_array(value: Field) -> Array:
    """Return a field as an array; floating numbers that are not tensors become float32."""
    if isinstance(value, Tensor):
        return value.data
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise DataError(f"a field of a sample must hold numbers in one shape; got {type(value).__name__}") from error
    if array.dtype.kind not in "biuf":
        raise DataError(f"a field of a sample must hold numbers; got {type(value).__name__} ({array.dtype})")
    return array.astype(np.float32) if array.dtype == np.float64 else array


def collate(samples: Sequence[Sample]) -> Batch:
    """Stack samples, field by field, into a batch.

    Args:
        samples: Each a tuple of fields, or one field alone. A field is a tensor, an array or a number, with the
            same shape in every sample. A field that is float64 in the batch was a float64 tensor in some sample.

    Raises:
        DataError: There are no samples, or their fields differ in number or shape.

    Example:
        >>> collate([([1.0, 2.0][i], i) for i in range(2)]).y.tolist()
        [0, 1]
    """
    if not samples:
        raise DataError("a batch needs at least one sample; got none")
    rows = [sample if isinstance(sample, tuple) else (sample,) for sample in samples]
    if len({len(row) for row in rows}) > 1:
        raise DataError(f"samples must have equally many fields; got {sorted({len(row) for row in rows})}")
    fields: list[Tensor] = []
    for number, column in enumerate(zip(*rows, strict=True)):
        arrays = [as_array(value) for value in column]
        shapes = {array.shape for array in arrays}
        if len(shapes) > 1:
            raise DataError(
                f"field {number} has different shapes from sample to sample: {sorted(shapes)[:3]}",
                hint="pad or crop the samples to one shape, or pass your own collate= to the loader",
            )
        fields.append(wrap(_without_new_doubles(np.stack(arrays), arrays)))  # (B, ...)
    return Batch(*fields)


def _without_new_doubles(stacked: Array, arrays: Sequence[Array]) -> Array:
    """Undo what NumPy makes of integers beside float32: float64, which no sample has asked for."""
    doubles = stacked.dtype == np.float64 and all(array.dtype != np.float64 for array in arrays)
    return stacked.astype(np.float32) if doubles else stacked
