"""Attention maps: what each head looks at, from a model that was not changed for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tt_layers import Module, observe_calls
from tt_tensor import Array, Interpreter, Primitive, Tensor, current, use_interpreter

from tt_attention._multihead import MultiHeadAttention, weights_of


class _Watch(Interpreter):
    """Compute the weights of every attention that runs, beside it."""

    def __init__(self, inner: Interpreter) -> None:
        super().__init__(inner)
        self.latest: list[Array] = []

    def apply(self, primitive: Primitive, inputs: tuple[Tensor, ...], params: Mapping[str, object]) -> Tensor:
        """Apply the primitive, and keep the weights if it is attention."""
        found = weights_of(primitive, [tensor.data for tensor in inputs], params)
        if found is not None:
            self.latest.append(found)
        return self.inner.apply(primitive, inputs, params)


@contextmanager
def record_attention(model: Module) -> Iterator[dict[str, list[Array]]]:
    """Within the block, keep the attention weights of every `MultiHeadAttention` of `model`, by its dotted name.

    Each call of a module adds one array (B, H, T, S) to its list. The outputs are what they would be; the time is more.
    The record belongs to the current context: what other threads run is not seen.

    Args:
        model: The model whose modules are watched; it is not changed.

    Example:
        >>> from tt_tensor import zeros
        >>> model = MultiHeadAttention(4, 2, causal=True)
        >>> with record_attention(model) as maps:
        ...     _ = model(zeros((1, 2, 4)))
        >>> maps[""][0].tolist()
        [[[[1.0, 0.0], [0.5, 0.5]], [[1.0, 0.0], [0.5, 0.5]]]]
    """
    names = {id(module): name for name, module in model.named_modules() if isinstance(module, MultiHeadAttention)}
    maps: dict[str, list[Array]] = {name: [] for name in names.values()}
    watch = _Watch(current())

    def collect(module: Module, _inputs: tuple[object, ...], _output: Tensor) -> None:
        if isinstance(module, MultiHeadAttention):
            if id(module) in names:  # its own are the last: attention outside of modules may have run before
                maps[names[id(module)]].extend(watch.latest[-1:])
            watch.latest.clear()

    with use_interpreter(watch), observe_calls(collect):
        yield maps
