"""An operation: a named function of arrays, and the slot in which a faster kernel can stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy.typing as npt

from tt_tensor._interpreter import current

if TYPE_CHECKING:
    from tt_tensor._operators import TensorLike
    from tt_tensor._tensor import Tensor

# `Any` as element type: NumPy's stubs give arithmetic no type for a generic element.
Array: TypeAlias = npt.NDArray[Any]
Kernel: TypeAlias = Callable[..., Array]
Recording: TypeAlias = Callable[..., tuple[Array, object]]
F = TypeVar("F", bound=Callable[..., object])

ENTRY_POINTS = "tinytorch.kernels"


class Primitive:
    """A named operation on arrays. Tensors go by position, settings by keyword.

    A primitive knows how to compute and nothing of gradients: those stand in tt-autograd's table, beside its name.

    Args:
        name: The name in messages, graphs and profiles; unique in the process.
        kernel: Arrays in, array out. The first one is the reference that all later ones are tested against.
        elementwise: Inputs broadcast against each other, so the engine un-broadcasts the gradients.
        view: The result may share memory with the first input, so both count the same in-place writes.
        recording: Like `kernel`, but returns `(array, residuals)`: what the backward pass would else compute again.
            Runs only when a gradient will be wanted.
        doc: The docstring, where the kernel (a bare ufunc) has none worth showing.

    Raises:
        ValueError: The name is taken.
    """

    def __init__(
        self,
        name: str,
        kernel: Kernel,
        *,
        elementwise: bool = False,
        view: bool = False,
        recording: Recording | None = None,
        doc: str | None = None,
    ) -> None:
        if name in _primitives:
            raise ValueError(
                f"there is a primitive named {name!r} already; choose another name, or swap its kernel with use_kernel"
            )
        self.name = name
        self.kernel = kernel
        self.reference = kernel
        self.elementwise = elementwise
        self.view = view
        self.recording = recording
        self.has_residuals = recording is not None
        self.__doc__ = doc if doc is not None else kernel.__doc__
        _primitives[name] = self
        _kernels[name] = {"reference": kernel}

    def __call__(self, *inputs: TensorLike, **params: object) -> Tensor:
        """Apply the operation to tensors (or what can become one)."""
        for value in inputs:
            if not isinstance(value, _tensor_type):
                inputs = self.lifted(inputs)
                break
        return current().apply(self, inputs, params)  # type: ignore[arg-type]  # by now all are tensors

    def lifted(self, inputs: tuple[TensorLike, ...]) -> tuple[Tensor, ...]:
        """Return the inputs as tensors; Python numbers take the element type of the tensors beside them."""
        return _lift(inputs)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __reduce__(self) -> tuple[Callable[[str], Primitive], tuple[str]]:
        return _by_name, (self.name,)


_primitives: dict[str, Primitive] = {}
_kernels: dict[str, dict[str, Kernel]] = {}
_faces: dict[Callable[..., object], Primitive] = {}
_tensor_type: type[Tensor]
_lift: Callable[[tuple[TensorLike, ...]], tuple[Tensor, ...]]


def bind_tensor(tensor_type: type[Tensor], lift: Callable[[tuple[TensorLike, ...]], tuple[Tensor, ...]]) -> None:
    """Tell primitives what a tensor is; `_tensor` calls this, since it is defined after them."""
    global _tensor_type, _lift
    _tensor_type, _lift = tensor_type, lift


def _by_name(name: str) -> Primitive:
    return _primitives[name]


def primitives() -> dict[str, Primitive]:
    """Return every primitive made so far, by name.

    Example:
        >>> primitives()["matmul"].name
        'matmul'
    """
    return dict(_primitives)


def applies(primitive: Primitive) -> Callable[[F], F]:
    """Mark a public function as the face of `primitive`, so that `use_kernel` takes the function too."""

    def mark(function: F) -> F:
        _faces[function] = primitive
        return function

    return mark


def primitive_of(target: Primitive | Callable[..., object] | str) -> Primitive:
    """Return the primitive behind a public function or a name.

    Raises:
        KeyError: Nothing by that name, or the function is no face of a primitive.
    """
    if isinstance(target, Primitive):
        return target
    found = _primitives.get(target) if isinstance(target, str) else _faces.get(target)
    if found is None:
        raise KeyError(f"no primitive stands behind {target!r}; primitives() lists them all")
    return found


@contextmanager
def use_kernel(
    target: Primitive | Callable[..., object] | str, kernel: Kernel | str, *, recording: Recording | None = None
) -> Iterator[Primitive]:
    """Run `target` with another kernel while the block runs, in every thread.

    Args:
        target: The primitive, its public function or its name.
        kernel: The function, or the name of a registered one.
        recording: The kernel that also returns residuals. Without it the gradient rules get `residuals=None`.

    Raises:
        KeyError: No such primitive or kernel.

    Example:
        >>> import numpy as np
        >>> from tt_tensor import Tensor, exp
        >>> with use_kernel(exp, lambda x: np.zeros_like(x)):
        ...     exp(Tensor([1.0])).tolist()
        [0.0]
    """
    primitive = primitive_of(target)
    before = primitive.kernel, primitive.recording
    primitive.kernel = _named_kernel(primitive, kernel) if isinstance(kernel, str) else kernel
    primitive.recording = recording
    try:
        yield primitive
    finally:
        primitive.kernel, primitive.recording = before


def register_kernel(target: Primitive | Callable[..., object] | str, name: str, kernel: Kernel) -> None:
    """Offer a kernel by name; the contract tests then run once more, with it.

    Raises:
        ValueError: The name is taken by another function.
    """
    primitive = primitive_of(target)
    if _kernels[primitive.name].setdefault(name, kernel) is not kernel:
        raise ValueError(f"{primitive.name} has a kernel named {name!r} already; choose another name")


def kernels(target: Primitive | Callable[..., object] | str) -> dict[str, Kernel]:
    """Return the kernels registered for a primitive, by name; `"reference"` is the first.

    Distributions offer theirs by the entry-point group `tinytorch.kernels`, as `primitive:kernel = module:function`
    (with a dot for the colon).
    """
    primitive = primitive_of(target)
    _read_entry_points(primitive.name)
    return dict(_kernels[primitive.name])


def _read_entry_points(primitive: str) -> None:
    from importlib.metadata import entry_points  # costs 20 ms, so only those who ask pay

    for point in entry_points(group=ENTRY_POINTS):
        owner, _, name = point.name.partition(".")
        if owner == primitive and name not in _kernels[primitive]:
            _kernels[primitive][name] = point.load()


def _named_kernel(primitive: Primitive, name: str) -> Kernel:
    offered = kernels(primitive)
    if name not in offered:
        raise KeyError(f"{primitive.name} has no kernel named {name!r}; registered: {', '.join(sorted(offered))}")
    return offered[name]
