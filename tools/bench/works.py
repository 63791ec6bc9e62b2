"""The works to measure and their bars: the table of the issue, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["time", "import", "memory", "flat", "mnist"]

FRAMEWORKS = ("ours", "torch")


@dataclass(frozen=True, slots=True)
class Work:
    """One row of the table.

    Args:
        name: What `--only` matches.
        label: What the table says.
        kind: How it is measured.
        bar: The most allowed: of the ratio, or of our figure where PyTorch's plays no part; None only reports.
        unit: Of the figures shown.
        scale: What turns the samples (seconds, kB) into that unit.
        job: What the workers are asked to prepare.
        size: The job's one number: elements, batch size or width.
        threads: For both frameworks.
        variant: Which of our ways, where there are several.
        absolute: Whether the bar is for our figure rather than for the ratio.
    """

    name: str
    label: str
    kind: Kind
    bar: float | None
    unit: str
    scale: float
    job: str
    size: int = 0
    threads: int = 2
    variant: str = ""
    absolute: bool = False


def _time(
    name: str, label: str, bar: float, unit: str, job: str, size: int, threads: int = 2, variant: str = ""
) -> Work:
    scale = {"us": 1e6, "ms": 1e3}[unit]
    return Work(name, label, "time", bar, unit, scale, job, size, threads, variant)


_MLP = "MLP 784-128-64-10, Adam, whole step"

WORKS = (
    _time("ops-4", "(x*w+b).relu().sum().backward(), 4 elements, 1 thread", 0.4, "us", "ops", 4, 1),
    _time("ops-1000", "the same, 1,000 elements, 1 thread", 0.4, "us", "ops", 1000, 1),
    _time("mlp-64-fit", f"{_MLP}, batch 64, Trainer.fit", 0.7, "ms", "mlp", 64, 2, "fit"),
    _time("mlp-64-loop", f"{_MLP}, batch 64, hand-written loop", 0.7, "ms", "mlp", 64, 2, "loop"),
    _time("mlp-128-fit", f"{_MLP}, batch 128, Trainer.fit", 0.7, "ms", "mlp", 128, 2, "fit"),
    _time("mlp-128-loop", f"{_MLP}, batch 128, hand-written loop", 0.7, "ms", "mlp", 128, 2, "loop"),
    _time("epoch-64", "shuffled epoch of 60,000 MNIST images, batch 64", 0.1, "ms", "epoch", 64),
    _time("epoch-128", "shuffled epoch of 60,000 MNIST images, batch 128", 0.1, "ms", "epoch", 128),
    _time("clip-adam", "clip_grad_norm_ and Adam, 1M parameters in 50 tensors", 1.0, "ms", "clip_adam", 50),
    Work("import", "import beyond NumPy's own", "import", 60.0, "ms", 1e3, "import", absolute=True),
    Work(
        "memory-1024",
        "peak memory of a step, MLP of width 1024, batch 512",
        "memory",
        1.2,
        "MB",
        1 / 1024,
        "wide",
        1024,
    ),
    Work(
        "memory-2048",
        "peak memory of a step, MLP of width 2048, batch 512",
        "memory",
        1.2,
        "MB",
        1 / 1024,
        "wide",
        2048,
    ),
    Work(
        "memory-flat",
        "memory growth over 1,000 steps, collector off",
        "flat",
        1.0,
        "kB/step",
        1.0,
        "mlp",
        64,
        variant="loop",
        absolute=True,
    ),
)

MNIST = (
    Work("mnist-seconds", "MNIST, milestone 03 --full: training", "mnist", None, "s", 1.0, "seconds"),
    Work("mnist-accuracy", "MNIST, milestone 03 --full: test accuracy", "mnist", None, "%", 100.0, "accuracy"),
)
