"""Modules made of modules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Self, TypeAlias, overload

from tt_tensor import Tensor

from tt_layers._module import Module

Layer: TypeAlias = Callable[[Tensor], Tensor]


def _name(layer: object) -> str:
    named: object = getattr(layer, "__name__", None)
    return named if isinstance(named, str) else repr(layer)


def _check(layer: Layer, position: int) -> Layer:
    if isinstance(layer, type):
        raise TypeError(f"layer {position} is the class {layer.__name__}, not an instance: write {layer.__name__}().")
    if not callable(layer):
        raise TypeError(f"layer {position} must be callable, such as a Module or a function, but received {layer!r}.")
    return layer


class Sequential(Module):
    """Layers one after another: each receives what the one before returned.

    Any callable may stand in it: a module, `ReLU()`, `relu`, a lambda.

    Args:
        layers: The layers, or one list (or tuple) of them.

    Raises:
        TypeError: If one of them is a class or cannot be called.

    Example:
        >>> from tt_layers import Linear
        >>> model = Sequential(Linear(4, 3), lambda x: x * 2.0, Linear(3, 2))
        >>> model(Tensor([[1.0, 2.0, 3.0, 4.0]])).shape, len(model)
        ((1, 2), 3)
        >>> [name for name, _ in model.named_parameters()]
        ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    def __init__(self, *layers: Layer | Sequence[Layer]) -> None:
        given: Iterable[object] = layers
        if len(layers) == 1 and isinstance(layers[0], (list, tuple)):
            given = layers[0]
        self.layers: list[Layer] = []
        for layer in given:
            self.append(layer)  # type: ignore[arg-type]  # append looks for itself whether it can be called

    def members(self) -> Iterator[tuple[str, object]]:
        """Yield the layers by position ("0.weight", not "layers.0.weight"), then whatever a subclass has set."""
        yield from ((str(position), layer) for position, layer in enumerate(self.layers))
        yield from super().members()

    def forward(self, x: Tensor) -> Tensor:
        """Pass `x` through the layers in order."""
        for layer in self.layers:
            x = layer(x)
        return x

    def append(self, layer: Layer) -> Self:
        """Add a layer at the end, and return this container."""
        self.layers.append(_check(layer, len(self.layers)))
        return self

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    @overload
    def __getitem__(self, index: int) -> Layer: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Layer | Sequential:
        """Return a layer, or for a slice a container that shares the layers."""
        if isinstance(index, slice):
            return Sequential(self.layers[index])
        return self.layers[index]

    def __setitem__(self, index: int, layer: Layer) -> None:
        self.layers[index] = _check(layer, index)

    def __repr__(self) -> str:
        lines = [
            f"({position}): {layer!r}" if isinstance(layer, Module) else f"({position}): {_name(layer)}"
            for position, layer in enumerate(self.layers)
        ]
        return "\n  ".join([f"{type(self).__name__}(", *(line.replace("\n", "\n  ") for line in lines)]) + "\n)"


class Residual(Module):
    """Add the input to what a block makes of it: `x + block(x)`.

    Args:
        block: Any callable that keeps the shape, or that changes it as `shortcut` does.
        shortcut: What to do to the input before it is added; nothing without it.

    Source: He et al., "Deep residual learning for image recognition", 2015.

    Example:
        >>> Residual(lambda x: x * 2.0)(Tensor([1.0, 2.0])).tolist()
        [3.0, 6.0]
    """

    def __init__(self, block: Layer, shortcut: Layer | None = None) -> None:
        self.block = _check(block, 0)
        self.shortcut = None if shortcut is None else _check(shortcut, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum; shapes that differ are an error, never broadcast."""
        straight = x if self.shortcut is None else self.shortcut(x)
        through = self.block(x)
        if straight.shape != through.shape:
            raise ValueError(
                f"Residual adds what went straight, of shape {straight.shape}, to what the block returned, of shape "
                f"{through.shape}: they must be equal. Give the block the same size out as in, or pass a shortcut."
            )
        return straight + through
