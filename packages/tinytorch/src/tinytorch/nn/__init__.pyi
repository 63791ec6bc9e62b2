# ruff: noqa
# Written by `python -m tinytorch.typed_names` from _table.py: change that.

from tinytorch.nn import (
    functional as functional,
    init as init,
)
from tt_activations import (
    ELU as ELU,
    GELU as GELU,
    LeakyReLU as LeakyReLU,
    LogSoftmax as LogSoftmax,
    ReLU as ReLU,
    SiLU as SiLU,
    Sigmoid as Sigmoid,
    Softmax as Softmax,
    Softplus as Softplus,
    Tanh as Tanh,
)
from tt_attention import (
    MultiHeadAttention as MultiHeadAttention,
    record_attention as record_attention,
)
from tt_conv import (
    AvgPool2d as AvgPool2d,
    BatchNorm2d as BatchNorm2d,
    Conv1d as Conv1d,
    Conv2d as Conv2d,
    GlobalAvgPool2d as GlobalAvgPool2d,
    GroupNorm as GroupNorm,
    MaxPool2d as MaxPool2d,
    fold_batch_norm as fold_batch_norm,
)
from tt_embeddings import (
    Embedding as Embedding,
    PositionalEmbedding as PositionalEmbedding,
    RotaryEmbedding as RotaryEmbedding,
)
from tt_layers import (
    Buffer as Buffer,
    Dropout as Dropout,
    Flatten as Flatten,
    Identity as Identity,
    Linear as Linear,
    LoadReport as LoadReport,
    Module as Module,
    Parameter as Parameter,
    Residual as Residual,
    Sequential as Sequential,
)
from tt_losses import (
    BCELoss as BCELoss,
    BCEWithLogitsLoss as BCEWithLogitsLoss,
    CrossEntropyLoss as CrossEntropyLoss,
    HingeLoss as HingeLoss,
    HuberLoss as HuberLoss,
    KLDivLoss as KLDivLoss,
    L1Loss as L1Loss,
    MSELoss as MSELoss,
    NLLLoss as NLLLoss,
)
from tt_transformers import (
    GPT as GPT,
    LayerNorm as LayerNorm,
    Llama as Llama,
    MLP as MLP,
    RMSNorm as RMSNorm,
    SwiGLU as SwiGLU,
    TransformerBlock as TransformerBlock,
    from_torch_layout as from_torch_layout,
    load_torch_layout as load_torch_layout,
    save_torch_layout as save_torch_layout,
    to_torch_layout as to_torch_layout,
)

__all__: list[str]
