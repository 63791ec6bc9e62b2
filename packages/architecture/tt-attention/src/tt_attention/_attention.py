"""Scaled dot-product attention as an operation on tensors."""

from __future__ import annotations

from typing import Literal, overload

from tt_tensor import Tensor, TensorLike, applies, as_tensor, matmul, reshape

from tt_attention._kernels import attention_primitive, weights_primitive


def check_inputs(q: Tensor, k: Tensor, mask: Tensor | None) -> None:
    """Raise unless queries, keys and the mask fit together, and are of types that attention is computed in."""
    fits = (
        q.ndim == k.ndim >= 3
        and q.shape[:-3] == k.shape[:-3]
        and q.shape[-1] == k.shape[-1] > 0
        and q.shape[-3] > 0 < k.shape[-3]
        and q.shape[-3] % k.shape[-3] == 0
    )
    if not fits:
        raise ValueError(
            f"attention takes queries (..., H, T, D) and keys (..., H_kv, S, D) with H a multiple of H_kv, but "
            f"received q {q.shape} and k {k.shape}."
        )
    check_floating(q=q, k=k)
    if mask is not None:
        check_mask(mask, (*q.shape[:-1], k.shape[-2]))


def check_floating(**tensors: Tensor) -> None:
    """Raise unless all tensors are floating: weights of integers would be cut off to 0."""
    for name, tensor in tensors.items():
        if tensor.dtype.kind != "f":
            raise TypeError(f"attention needs floating-point numbers, but {name} is {tensor.dtype}.")


def check_mask(mask: Tensor, scores: tuple[int, ...]) -> None:
    """Raise unless a mask is boolean or floating and broadcasts to the shape of the scores."""
    if mask.dtype.kind not in "bf":
        raise TypeError(
            f"an attention mask is boolean (true: may attend) or floating (added to the scores), but received "
            f"{mask.dtype}; use mask.astype('bool')."
        )
    aligned = zip(mask.shape[::-1], scores[::-1], strict=False)
    if mask.ndim > len(scores) or any(size not in (1, wanted) for size, wanted in aligned):
        raise ValueError(f"an attention mask broadcasts to the scores {scores}, but received {mask.shape}.")


@overload
def scaled_dot_product_attention(
    q: TensorLike, k: TensorLike, v: TensorLike, mask: TensorLike | None = ..., *, causal: bool = ...,
    scale: float | None = ..., return_weights: Literal[False] = ...,
) -> Tensor: ...  # fmt: skip
@overload
def scaled_dot_product_attention(
    q: TensorLike, k: TensorLike, v: TensorLike, mask: TensorLike | None = ..., *, causal: bool = ...,
    scale: float | None = ..., return_weights: Literal[True],
) -> tuple[Tensor, Tensor]: ...  # fmt: skip
@applies(attention_primitive)
def scaled_dot_product_attention(
    q: TensorLike,
    k: TensorLike,
    v: TensorLike,
    mask: TensorLike | None = None,
    *,
    causal: bool = False,
    scale: float | None = None,
    return_weights: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """Let every query average the values, by how well their keys match it: softmax(scale * q k^T + mask) v.

    Shapes: q (..., H, T, D), k (..., H_kv, S, D), v (..., H_kv, S, D_v) -> (..., H, T, D_v); weights (..., H, T, S).

    Args:
        q: Queries. H is a multiple of H_kv: consecutive heads share a key and value head (grouped-query attention).
        k: Keys.
        v: Values.
        mask: Boolean (true: the query may attend to the key) or floating (added to the scores; -inf hides). It
            broadcasts to (..., H, T, S). A query from which everything is hidden gets zeros, and gives zero gradients.
        causal: Hide the future: query i sees keys up to i + S - T, so that the last query sees all.
        scale: What the scores are multiplied by; 1 / sqrt(D) without it.
        return_weights: Return `(output, weights)`; all weights are in memory then.

    Raises:
        ValueError: The shapes do not fit together.
        TypeError: The mask is neither boolean nor floating, or the inputs are not floating.

    Source: Vaswani et al., "Attention is all you need", 2017, section 3.2.1.

    Example:
        >>> x = Tensor([[[1.0, 0.0], [0.0, 1.0]]])
        >>> scaled_dot_product_attention(x, x, x, causal=True)[0, 0].tolist()
        [1.0, 0.0]
    """
    q, k, v = as_tensor(q), as_tensor(k), as_tensor(v)
    mask = None if mask is None else as_tensor(mask)
    check_inputs(q, k, mask)
    if v.shape[:-1] != k.shape[:-1]:
        raise ValueError(f"attention needs a value for every key, but received k {k.shape} and v {v.shape}.")
    check_floating(v=v)
    factor = q.shape[-1] ** -0.5 if scale is None else float(scale)
    masks = () if mask is None else (mask,)
    if not return_weights:
        return attention_primitive(q, k, v, *masks, causal=causal, scale=factor)
    weights = weights_primitive(q, k, *masks, causal=causal, scale=factor)
    return mix_values(weights, v), weights


@applies(weights_primitive)
def attention_weights(
    q: TensorLike, k: TensorLike, mask: TensorLike | None = None, *, causal: bool = False, scale: float | None = None
) -> Tensor:
    """Return how much every query attends to every key: softmax(scale * q k^T + mask).

    Shapes: q (..., H, T, D), k (..., H_kv, S, D) -> (..., H, T, S).

    Args:
        q: Queries.
        k: Keys.
        mask: As for `scaled_dot_product_attention`.
        causal: Hide the future.
        scale: What the scores are multiplied by; 1 / sqrt(D) without it.

    Raises:
        ValueError: The shapes do not fit together.
        TypeError: The mask is neither boolean nor floating, or the inputs are not floating.

    Example:
        >>> attention_weights(Tensor([[[1.0]]]), Tensor([[[0.0], [0.0]]])).tolist()
        [[[0.5, 0.5]]]
    """
    q, k = as_tensor(q), as_tensor(k)
    mask = None if mask is None else as_tensor(mask)
    check_inputs(q, k, mask)
    factor = q.shape[-1] ** -0.5 if scale is None else float(scale)
    return weights_primitive(q, k, *(() if mask is None else (mask,)), causal=causal, scale=factor)


def mix_values(weights: Tensor, v: Tensor) -> Tensor:
    """Average the values by the weights, as tensors: (..., H, T, S) and (..., H_kv, S, D) -> (..., H, T, D)."""
    *lead, heads, queries, keys = weights.shape
    shared = v.shape[-3]
    if heads == shared:
        return matmul(weights, v)
    rows = reshape(weights, (*lead, shared, heads // shared * queries, keys))  # heads of a group, one below the other
    return reshape(matmul(rows, v), (*lead, heads, queries, v.shape[-1]))
