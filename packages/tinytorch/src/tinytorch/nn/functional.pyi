# ruff: noqa
# Written by `python -m tinytorch.typed_names` from _table.py: change that.

from tt_activations import (
    elu as elu,
    gelu as gelu,
    leaky_relu as leaky_relu,
    log_softmax as log_softmax,
    relu as relu,
    sigmoid as sigmoid,
    silu as silu,
    softmax as softmax,
    softplus as softplus,
    tanh as tanh,
)
from tt_attention import (
    attention_weights as attention_weights,
    causal_mask as causal_mask,
    padding_mask as padding_mask,
    scaled_dot_product_attention as scaled_dot_product_attention,
    sliding_window_mask as sliding_window_mask,
)
from tt_conv import (
    adaptive_avg_pool2d as adaptive_avg_pool2d,
    avg_pool2d as avg_pool2d,
    batch_norm2d as batch_norm2d,
    conv1d as conv1d,
    conv2d as conv2d,
    group_norm as group_norm,
    max_pool2d as max_pool2d,
    unfold as unfold,
)
from tt_embeddings import (
    embedding as embedding,
    rotary as rotary,
    sinusoidal_positions as sinusoidal_positions,
)
from tt_layers import (
    dropout as dropout,
    linear as linear,
)
from tt_losses import (
    binary_cross_entropy as binary_cross_entropy,
    binary_cross_entropy_with_logits as binary_cross_entropy_with_logits,
    cross_entropy as cross_entropy,
    hinge_loss as hinge_loss,
    huber_loss as huber_loss,
    kl_div as kl_div,
    l1_loss as l1_loss,
    mse_loss as mse_loss,
    nll_loss as nll_loss,
)
from tt_transformers import (
    layer_norm as layer_norm,
    rms_norm as rms_norm,
)

__all__: list[str]
