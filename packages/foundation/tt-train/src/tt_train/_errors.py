"""The errors of training."""

from __future__ import annotations

from pathlib import Path

__all__ = ["CheckpointError", "TrainingInterrupted"]


class CheckpointError(ValueError):
    """A checkpoint cannot be read, or does not fit what it should be loaded into.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from tt_train import CheckpointError, read_checkpoint
        >>> path = Path(tempfile.mkdtemp(), "cut.safetensors")
        >>> _ = path.write_bytes(b"abc")
        >>> try:
        ...     read_checkpoint(path)
        ... except CheckpointError as error:
        ...     print(str(error).removeprefix(str(path)))
        : 3 bytes are too few for a checkpoint, which starts with 8 bytes of header length
    """


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C stopped `Trainer.fit` between two steps; the message says how to go on.

    It is a `KeyboardInterrupt`, so a script that does not catch it ends as usual, and code after `fit` does not
    run on a model that is only half trained. The records so far are in `Trainer.history`.

    Args:
        message: What happened and how to resume.
        checkpoint: The file that holds the state, or None when none was asked for.

    Example:
        >>> error = TrainingInterrupted("stopped after step 3", checkpoint=None)
        >>> isinstance(error, KeyboardInterrupt), error.checkpoint
        (True, None)
    """

    def __init__(self, message: str, *, checkpoint: Path | None = None) -> None:
        super().__init__(message)
        self.checkpoint = checkpoint
