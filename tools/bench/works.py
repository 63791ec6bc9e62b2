"""The works to measure and their bars: the tables of the issues, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tools.bench import problems

Kind = Literal["time", "import", "memory", "flat", "mnist"]

PEAK = "product"  # the work whose time says what the machine can do at most


@dataclass(frozen=True, slots=True)
class Work:
    """One row of the table.

    Args:
        name: What `--only` matches.
        label: What the table says.
        kind: How it is measured.
        bar: The most allowed: of the ratio, or of our figure where the other's plays no part; None only reports.
        unit: Of the figures shown.
        scale: What turns the samples (seconds, kB) into that unit.
        job: What the workers are asked to prepare.
        size: The job's one number: elements, batch size or width.
        threads: For all sides.
        variant: Which way of doing it, where there are several.
        absolute: Whether the bar is for our figure rather than for the ratio.
        rival: Whom the ratio is against.
        best: The rival's own faster ways, words joined by `+` (see `networks_pytorch.Options`).
        rounds: The most rounds worth their time.
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
    rival: str = "torch"
    best: tuple[str, ...] = ()
    rounds: int = 15

    @property
    def sides(self) -> tuple[str, ...]:
        """Everyone who takes part, as `framework` or `framework:way`: we first, then whom the ratio is against."""
        return "ours", self.rival, *(f"{self.rival}:{way}" for way in self.best)

    @property
    def flops(self) -> int:
        """The floating-point operations of one unit of this work; 0 where they do not bound its time."""
        if self.kind != "time":
            return 0
        if self.job == PEAK:
            return 2 * self.size**3
        return problems.network(self.job, self.size).flops(self.variant != "predict") if self.networked else 0

    @property
    def networked(self) -> bool:
        """Whether a network is run."""
        return problems.is_network(self.job)


def _time(
    name: str,
    label: str,
    bar: float | None,
    unit: str,
    job: str,
    size: int,
    threads: int = 2,
    variant: str = "",
    best: str = "",
    rounds: int = 15,
) -> Work:
    scale = {"us": 1e6, "ms": 1e3}[unit]
    return Work(
        name, label, "time", bar, unit, scale, job, size, threads, variant, best=tuple(best.split()), rounds=rounds
    )


def _memory(name: str, label: str, job: str, size: int, variant: str = "fit") -> Work:
    label = f"peak memory of a step, {label}"
    return Work(name, label, "memory", 1.2, "MB", 1 / 1024, job, size, variant=variant, rounds=3)


_MLP = "MLP 784-128-64-10, Adam, whole step"
_CNN = "CNN 32-32-p-64-64-p-128-128-p, BN, 32x32"
_LENET = "LeNet-5, 28x28, batch 64"
_SMALL, _LARGE = "GPT d128 L4 H4 T128, batch 16", "GPT d384 L6 H6 T256, batch 8"
_FUSED = "fused compile+fused"
_IMAGES = f"{_FUSED} channels_last+fused"
_PREDICT = "channels_last compile+channels_last+freezing"

WORKS = (
    _time("ops-4", "(x*w+b).relu().sum().backward(), 4 elements, 1 thread", 0.4, "us", "ops", 4, 1),
    _time("ops-1000", "the same, 1,000 elements, 1 thread", 0.4, "us", "ops", 1000, 1),
    _time(PEAK, "matrix product, 1,536 x 1,536", None, "ms", PEAK, 1536, rounds=7),
    _time("mlp-64-fit", f"{_MLP}, batch 64, Trainer.fit", 0.7, "ms", "mlp", 64, 2, "fit", _FUSED),
    _time("mlp-64-loop", f"{_MLP}, batch 64, hand-written loop", 0.7, "ms", "mlp", 64, 2, "loop"),
    _time("mlp-128-fit", f"{_MLP}, batch 128, Trainer.fit", 0.7, "ms", "mlp", 128, 2, "fit", _FUSED),
    _time("mlp-128-loop", f"{_MLP}, batch 128, hand-written loop", 0.7, "ms", "mlp", 128, 2, "loop"),
    _time("lenet", f"{_LENET}, Adam, step", 1.4, "ms", "lenet", 64, 2, "fit", _IMAGES, rounds=11),
    _time("cnn", f"{_CNN}, batch 64, SGD, step", 1.0, "ms", "cnn", 64, 2, "fit", _IMAGES, rounds=9),
    _time(
        "cnn-predict",
        f"{_CNN}, batch 128, inference, norms folded",
        0.9,
        "ms",
        "cnn",
        128,
        2,
        "predict",
        _PREDICT,
        rounds=9,
    ),
    _time("gpt-128", f"{_SMALL}, AdamW, step", 1.05, "ms", "gpt", 128, 2, "fit", _FUSED, rounds=9),
    _time("gpt-384", f"{_LARGE}, AdamW, step", 1.05, "ms", "gpt", 384, 2, "fit", _FUSED, rounds=5),
    _time("epoch-64", "shuffled epoch of 60,000 MNIST images, batch 64", 0.1, "ms", "epoch", 64),
    _time("epoch-128", "shuffled epoch of 60,000 MNIST images, batch 128", 0.1, "ms", "epoch", 128),
    _time("clip-adam", "clip_grad_norm_ and Adam, 1M parameters in 50 tensors", 1.0, "ms", "clip_adam", 50),
    Work(
        name="bpe-train",
        label="BPE of 1,024 tokens on Tiny Shakespeare, beside HuggingFace tokenizers",
        kind="time",
        bar=2.0,
        unit="s",
        scale=1.0,
        job="bpe_train",
        size=1024,
        rival="huggingface",
        rounds=5,
    ),
    Work(
        name="bpe-encode",
        label="encoding it by those tokens, a new tokenizer, beside HuggingFace tokenizers",
        kind="time",
        bar=1.0,
        unit="s/MB",
        scale=1.0,
        job="bpe_encode",
        size=1024,
        absolute=True,
        rival="huggingface",
        rounds=7,
    ),
    Work("import", "import beyond NumPy's own", "import", 60.0, "ms", 1e3, "import", absolute=True),
    _memory("memory-1024", "MLP of width 1024, batch 512", "wide", 1024, "loop"),
    _memory("memory-2048", "MLP of width 2048, batch 512", "wide", 2048, "loop"),
    _memory("memory-lenet", _LENET, "lenet", 64),
    _memory("memory-cnn", f"{_CNN}, batch 64", "cnn", 64),
    _memory("memory-gpt-128", _SMALL, "gpt", 128),
    _memory("memory-gpt-384", _LARGE, "gpt", 384),
    Work(
        name="memory-flat",
        label="memory growth over 1,000 steps, collector off",
        kind="flat",
        bar=1.0,
        unit="kB/step",
        scale=1.0,
        job="mlp",
        size=64,
        variant="loop",
        absolute=True,
        rounds=3,
    ),
)

MNIST = (
    Work("mnist-seconds", "MNIST, milestone 03 --full: training", "mnist", None, "s", 1.0, "seconds"),
    Work("mnist-accuracy", "MNIST, milestone 03 --full: test accuracy", "mnist", None, "%", 100.0, "accuracy"),
)
