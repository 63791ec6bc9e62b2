"""Training: a thin loop, what it records, and how it survives.

`Trainer` trains, evaluates and predicts; `History` keeps what happened; `save_checkpoint` and `load_checkpoint`
keep the state, atomically, so that a run goes on to the bit as if it had never stopped.
"""

from __future__ import annotations

from ._atomic import atomic_write
from ._callbacks import Callback, EarlyStopping, TensorBoard
from ._checkpoint import Stateful, load_checkpoint, read_checkpoint, save_checkpoint
from ._errors import CheckpointError, TrainingInterrupted
from ._evaluate import Loss, Metric
from ._format import check_header, encode_header
from ._history import History
from ._metrics import accuracy, confusion_matrix, perplexity, predicted_classes
from ._pictures import sparkline
from ._precision import HalfPrecision, LossScaler, unscale_gradients
from ._step import accumulate_gradients, micro_weights
from ._trainer import Trainer

__all__ = [
    "Callback",
    "CheckpointError",
    "EarlyStopping",
    "HalfPrecision",
    "History",
    "Loss",
    "LossScaler",
    "Metric",
    "Stateful",
    "TensorBoard",
    "Trainer",
    "TrainingInterrupted",
    "accumulate_gradients",
    "accuracy",
    "atomic_write",
    "check_header",
    "confusion_matrix",
    "encode_header",
    "load_checkpoint",
    "micro_weights",
    "perplexity",
    "predicted_classes",
    "read_checkpoint",
    "save_checkpoint",
    "sparkline",
    "unscale_gradients",
]
