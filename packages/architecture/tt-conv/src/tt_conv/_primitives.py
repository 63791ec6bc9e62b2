"""The primitives of this package: names and kernels."""

from __future__ import annotations

from tt_tensor import Primitive, register_kernel

from tt_conv._bands import conv2d_bands
from tt_conv._blocks import conv2d_blocks
from tt_conv._group_norm import group_norm, group_norm_recording
from tt_conv._im2col import conv2d_im2col
from tt_conv._loops import conv2d_loops
from tt_conv._norm import batch_norm, batch_norm_relu, channel_moments
from tt_conv._pool import adaptive_avg_pool2d, avg_pool2d, max_pool2d, max_pool2d_recording, unfold

conv2d_primitive = Primitive("conv2d", conv2d_bands)
register_kernel(conv2d_primitive, "blocks", conv2d_blocks)
register_kernel(conv2d_primitive, "im2col", conv2d_im2col)
register_kernel(conv2d_primitive, "loops", conv2d_loops)

max_pool2d_primitive = Primitive("max_pool2d", max_pool2d, recording=max_pool2d_recording)
avg_pool2d_primitive = Primitive("avg_pool2d", avg_pool2d)
adaptive_avg_pool2d_primitive = Primitive("adaptive_avg_pool2d", adaptive_avg_pool2d)
unfold_primitive = Primitive("unfold", unfold)

channel_moments_primitive = Primitive("channel_moments", channel_moments)
batch_norm_primitive = Primitive("batch_norm", batch_norm)
batch_norm_relu_primitive = Primitive("batch_norm_relu", batch_norm_relu)
group_norm_primitive = Primitive("group_norm", group_norm, recording=group_norm_recording)
