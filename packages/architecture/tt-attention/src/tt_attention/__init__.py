"""TinyTorch module 12: attention, in which every place of a sequence looks at the others.

Example:
    >>> from tt_tensor import zeros
    >>> MultiHeadAttention(16, 4, causal=True)(zeros((2, 5, 16))).shape
    (2, 5, 16)
"""

from tt_attention._attention import attention_weights, scaled_dot_product_attention
from tt_attention._maps import record_attention
from tt_attention._masks import causal_mask, padding_mask, sliding_window_mask
from tt_attention._multihead import MultiHeadAttention

__all__ = [
    "MultiHeadAttention",
    "attention_weights",
    "causal_mask",
    "padding_mask",
    "record_attention",
    "scaled_dot_product_attention",
    "sliding_window_mask",
]
