"""The gradient of group norm: what moves a group's mean or its spread is taken out."""

from __future__ import annotations

import numpy as np
from tt_autograd import Spec, defvjp
from tt_tensor import Array, scratch

from tt_conv._group_norm import Examples, Moments, group_norm_recording
from tt_conv._precision import same_type
from tt_conv._primitives import group_norm_primitive
from tt_conv._work import BYTES_PER_SECOND, by_blocks


def group_norm_gradient(
    g: Array,
    _out: Spec,
    x: Array,
    *affine: Array,
    needs: tuple[bool, ...],
    residuals: Moments | None,
    groups: int,
    eps: float,
) -> tuple[Array | None, ...]:
    """Gradients for the input, the weight and the bias."""
    if x.size == 0:
        return tuple(np.zeros_like(array) if need else None for array, need in zip((x, *affine), needs, strict=True))
    dtype = x.dtype
    g, x = same_type(g, x)
    known = group_norm_recording(x, groups=groups, eps=eps)[1] if residuals is None else residuals
    assert known is not None
    layout = Examples(x, groups)
    back, images = layout.matrices(g), layout.matrices(x)
    weight = affine[0].astype(np.float64) if affine else np.ones(layout.channels)
    of_x = np.empty(images.shape, x.dtype)
    totals, products = np.empty((2, layout.count, layout.channels))

    def work(start: int, stop: int) -> None:
        gradient, target = back[start:stop], of_x[start:stop]
        near, left, inverse = (each[start:stop] for each in known)
        apart = scratch("tt_conv.apart", target.shape, x.dtype)
        np.subtract(images[start:stop], layout.spread(near, x.dtype), out=apart)
        total = totals[start:stop] = layout.sums(gradient)
        across = layout.sums(np.multiply(apart, gradient, out=target))
        product = products[start:stop] = (across - layout.each(left) * total) * layout.each(inverse)
        if needs[0]:
            # inverse * (g * weight - mean(g * weight) - normal * mean(g * weight * normal))
            level = inverse * layout.group_means(total * weight)
            slope = inverse**2 * layout.group_means(product * weight)
            apart *= layout.spread(slope, x.dtype)
            apart += layout.spread(level - slope * left, x.dtype)
            np.multiply(gradient, layout.spread(layout.each(inverse) * weight, x.dtype), out=target)
            target -= apart

    by_blocks(work, layout.count, 3 * images[:1].nbytes, seconds=5 * x.nbytes / BYTES_PER_SECOND)
    gradients = (
        layout.examples(of_x) if needs[0] else None,
        products.sum(axis=0).astype(dtype) if len(needs) > 1 and needs[1] else None,
        totals.sum(axis=0).astype(dtype) if len(needs) > 1 and needs[2] else None,
    )
    return gradients[: len(needs)]


defvjp(group_norm_primitive, joint=group_norm_gradient)
