"""TinyTorch module 13: transformers, and the text that they write.

Example:
    >>> import numpy as np
    >>> model = GPT(vocab_size=65, embed_dim=16, num_layers=2, num_heads=4, max_seq_len=8)
    >>> model(np.array([[3, 1, 4]])).shape
    (1, 3, 65)
"""

from tt_transformers import _gate_rules, _norm_rules, functional  # noqa: F401  # the gradients of this module's primitives
from tt_transformers._blocks import MLP, LayerNorm, RMSNorm, SwiGLU, TransformerBlock
from tt_transformers._generate import LanguageModel, generate_tokens
from tt_transformers._gpt import GPT
from tt_transformers._llama import Llama
from tt_transformers._llama2c import Llama2cError
from tt_transformers._sampling import sample, top_k_filter, top_p_filter
from tt_transformers._torch_layout import from_torch_layout, load_torch_layout, save_torch_layout, to_torch_layout
from tt_transformers.functional import layer_norm, linear_gelu, rms_norm, swiglu

__all__ = [
    "GPT",
    "MLP",
    "LanguageModel",
    "LayerNorm",
    "Llama",
    "Llama2cError",
    "RMSNorm",
    "SwiGLU",
    "TransformerBlock",
    "from_torch_layout",
    "functional",
    "generate_tokens",
    "layer_norm",
    "linear_gelu",
    "load_torch_layout",
    "rms_norm",
    "sample",
    "save_torch_layout",
    "swiglu",
    "to_torch_layout",
    "top_k_filter",
    "top_p_filter",
]
