# ruff: noqa
# Written by `python -m tinytorch.typed_names` from _table.py: change that.

from tt_train import (
    Callback as Callback,
    CheckpointError as CheckpointError,
    EarlyStopping as EarlyStopping,
    History as History,
    Loss as Loss,
    Metric as Metric,
    TensorBoard as TensorBoard,
    Trainer as Trainer,
    TrainingInterrupted as TrainingInterrupted,
    accumulate_gradients as accumulate_gradients,
    accuracy as accuracy,
    confusion_matrix as confusion_matrix,
    load_checkpoint as load_checkpoint,
    perplexity as perplexity,
    read_checkpoint as read_checkpoint,
    save_checkpoint as save_checkpoint,
)

__all__: list[str]
