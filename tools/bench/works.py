"""The works to measure and their bars: the tables of the issues, as data."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Literal

from tools.bench import problems

Kind = Literal["time", "import", "memory", "flat", "mnist"]

# What turns the samples (seconds, kB, shares) into the unit that is shown.
SCALES = {"us": 1e6, "ms": 1e3, "s": 1.0, "s/MB": 1.0, "MB": 1 / 1024, "kB/step": 1.0, "%": 100.0}
PEAK = "product"  # the work whose time says what the machine can do at most


@dataclass(frozen=True, slots=True)
class Work:
    """One row of the table.

    Args:
        name: What `--only` matches.
        label: What the table says.
        kind: How it is measured.
        bar: The most allowed: of the ratio, or of our figure where the other's plays no part; None only reports.
        unit: Of the figures shown, one of `SCALES`.
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
    job: str
    size: int = 0
    _: KW_ONLY
    threads: int = 2
    variant: str = ""
    absolute: bool = False
    rival: str = "torch"
    best: tuple[str, ...] = ()
    rounds: int = 15

    @property
    def scale(self) -> float:
        """What turns the samples into the unit."""
        return SCALES[self.unit]

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


_FUSED = ("fused", "compile+fused")
_IMAGES = (*_FUSED, "channels_last+fused")
_PREDICT = ("channels_last", "compile+channels_last+freezing")
_CNN = "CNN 32-32-p-64-64-p-128-128-p, BN, 32x32"
_LENET = "LeNet-5, 28x28, batch 64"
_SMALL, _LARGE = "GPT d128 L4 H4 T128, batch 16", "GPT d384 L6 H6 T256, batch 8"


def _mlp(size: int, variant: str, words: str, best: tuple[str, ...] = ()) -> Work:
    label = f"MLP 784-128-64-10, Adam, whole step, batch {size}, {words}"
    return Work(f"mlp-{size}-{variant}", label, "time", 0.7, "ms", "mlp", size, variant=variant, best=best)


def _memory(name: str, label: str, job: str, size: int, variant: str = "fit") -> Work:
    label = f"peak memory of a step, {label}"
    return Work(name, label, "memory", 1.2, "MB", job, size, variant=variant, rounds=3)


def _tokens(name: str, label: str, bar: float, unit: str, job: str, rounds: int, absolute: bool = False) -> Work:
    return Work(name, label, "time", bar, unit, job, 1024, rival="huggingface", absolute=absolute, rounds=rounds)


_OPS = "(x*w+b).relu().sum().backward(), 4 elements, 1 thread"
_FOLDED = f"{_CNN}, batch 128, inference, our norms folded"
_BPE = "BPE of 1,024 tokens on Tiny Shakespeare, beside HuggingFace tokenizers"
_ENCODED = "encoding it by those tokens, a new tokenizer, beside HuggingFace tokenizers"
_FLAT = "memory growth over 1,000 steps, collector off"

WORKS = (
    Work("ops-4", _OPS, "time", 0.4, "us", "ops", 4, threads=1),
    Work("ops-1000", "the same, 1,000 elements, 1 thread", "time", 0.4, "us", "ops", 1000, threads=1),
    Work(PEAK, "matrix product, 1,536 x 1,536", "time", None, "ms", PEAK, 1536, rounds=7),
    _mlp(64, "fit", "Trainer.fit", _FUSED),
    _mlp(64, "loop", "hand-written loop"),
    _mlp(128, "fit", "Trainer.fit", _FUSED),
    _mlp(128, "loop", "hand-written loop"),
    Work("lenet", f"{_LENET}, Adam, step", "time", 1.4, "ms", "lenet", 64, variant="fit", best=_IMAGES, rounds=11),
    Work("cnn", f"{_CNN}, batch 64, SGD, step", "time", 1.0, "ms", "cnn", 64, variant="fit", best=_IMAGES, rounds=9),
    Work("cnn-predict", _FOLDED, "time", 0.9, "ms", "cnn", 128, variant="predict", best=_PREDICT, rounds=9),
    Work("gpt-128", f"{_SMALL}, AdamW, step", "time", 1.05, "ms", "gpt", 128, variant="fit", best=_FUSED, rounds=9),
    Work("gpt-384", f"{_LARGE}, AdamW, step", "time", 1.05, "ms", "gpt", 384, variant="fit", best=_FUSED, rounds=5),
    Work("epoch-64", "shuffled epoch of 60,000 MNIST images, batch 64", "time", 0.1, "ms", "epoch", 64),
    Work("epoch-128", "shuffled epoch of 60,000 MNIST images, batch 128", "time", 0.1, "ms", "epoch", 128),
    Work("clip-adam", "clip_grad_norm_ and Adam, 1M parameters in 50 tensors", "time", 1.0, "ms", "clip_adam", 50),
    _tokens("bpe-train", _BPE, 2.0, "s", "bpe_train", rounds=5),
    _tokens("bpe-encode", _ENCODED, 1.0, "s/MB", "bpe_encode", rounds=7, absolute=True),
    Work("import", "import beyond NumPy's own", "import", 60.0, "ms", "import", absolute=True),
    _memory("memory-1024", "MLP of width 1024, batch 512", "wide", 1024, "loop"),
    _memory("memory-2048", "MLP of width 2048, batch 512", "wide", 2048, "loop"),
    _memory("memory-lenet", _LENET, "lenet", 64),
    _memory("memory-cnn", f"{_CNN}, batch 64", "cnn", 64),
    _memory("memory-gpt-128", _SMALL, "gpt", 128),
    _memory("memory-gpt-384", _LARGE, "gpt", 384),
    Work("memory-flat", _FLAT, "flat", 1.0, "kB/step", "mlp", 64, variant="loop", absolute=True, rounds=3),
)

MNIST = (
    Work("mnist-seconds", "MNIST, milestone 03 --full: training", "mnist", None, "s", "seconds"),
    Work("mnist-accuracy", "MNIST, milestone 03 --full: test accuracy", "mnist", None, "%", "accuracy"),
)
