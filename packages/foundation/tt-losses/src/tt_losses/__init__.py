"""Losses: one number that says how wrong a network is, exact also where the network is sure and wrong.

Every loss is a function (`cross_entropy`) and a callable object (`CrossEntropyLoss()`). `tt_losses.lessons` measures
what log-sum-exp saves, and what logits cost at a vocabulary of 50,000 words.
"""

from __future__ import annotations

from tt_losses._callables import (
    BCELoss,
    BCEWithLogitsLoss,
    HingeLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
)
from tt_losses._class_callables import CrossEntropyLoss, NLLLoss
from tt_losses._classification import cross_entropy, nll_loss
from tt_losses._functional import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    hinge_loss,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
)

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "HingeLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "NLLLoss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "hinge_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "mse_loss",
    "nll_loss",
]
