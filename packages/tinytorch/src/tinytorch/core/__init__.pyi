# ruff: noqa
# Written by `python -m tinytorch.typed_names` from _table.py: change that.

from tinytorch.core import (
    accel as accel,
    activations as activations,
    attention as attention,
    autograd as autograd,
    bench as bench,
    capstone as capstone,
    compress as compress,
    conv as conv,
    data as data,
    embeddings as embeddings,
    kvcache as kvcache,
    layers as layers,
    losses as losses,
    optim as optim,
    profiler as profiler,
    quant as quant,
    tensor as tensor,
    tokenizers as tokenizers,
    train as train,
    transformers as transformers,
)

__all__: list[str]
