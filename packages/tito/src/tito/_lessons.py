"""The lessons of the modules: each measures what its package costs, here, now, and draws it."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import importlib.util
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from tinytorch.milestone import write_atomically
from tinytorch.packages import Package

from tito._errors import TitoError
from tito._modules import require
from tito._output import Json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Row = dict[str, Json]


@dataclasses.dataclass(frozen=True, slots=True)
class Lesson:
    """One measurement: what it is called, how it is taken, and how it is drawn."""

    title: str
    measure: Callable[[ModuleType], object]
    draw: Callable[[ModuleType, object], Figure] | None = None


def _layers(lessons: ModuleType) -> object:
    import tinytorch as tt

    model = tt.nn.Sequential(tt.nn.Linear(784, 128), tt.nn.ReLU(), tt.nn.Linear(128, 10))
    return lessons.layer_costs(model, tt.zeros(64, 784))


@functools.cache
def _attention(lessons: ModuleType) -> Sequence[object]:
    """Measure once for the two tables made of it."""
    costs: Sequence[object] = lessons.attention_costs()
    return costs


def _step(lessons: ModuleType) -> object:
    import tinytorch as tt

    return lessons.step_times(tt.nn.GPT(65, 128, 4, 4, 128), batch=16)


LESSONS: dict[str, tuple[Lesson, ...]] = {
    "tt-tensor": (
        Lesson("Rows against columns", lambda m: m.memory_layout(), lambda m, got: m.plot_memory_layout([got])),
        Lesson("View or copy", lambda m: m.view_or_copy(), lambda m, got: m.plot_view_or_copy(got)),
        Lesson("Broadcasting without copies", lambda m: m.broadcasting(), lambda m, got: m.plot_broadcasting(got)),
        Lesson("float32 against float64", lambda m: m.precision(), lambda m, got: m.plot_precision(got)),
    ),
    "tt-activations": (
        Lesson("Saturation", lambda m: m.saturation(), lambda m, got: m.plot_saturation(got)),
        Lesson("Dead units", lambda m: m.dead_units(), lambda m, got: m.plot_dead_units(got)),
        Lesson("Where softmax overflows", lambda m: m.overflow(), lambda m, got: m.plot_overflow(got)),
    ),
    "tt-layers": (
        Lesson("Parameters and activations", _layers),
        Lesson(
            "Mean square of activations through depth",
            lambda m: m.variance_through_depth(),
            lambda m, got: m.plot_variance(got),
        ),
    ),
    "tt-losses": (
        Lesson("Naive against log-sum-exp", lambda m: m.precision(), lambda m, got: m.plot_precision(got)),
        Lesson("Memory of the logits", lambda m: m.logits_memory(), lambda m, got: m.plot_logits_memory(got)),
    ),
    "tt-data": (
        Lesson("Throughput", lambda m: m.throughput(), lambda m, got: m.plot_throughput(got)),
        Lesson("What shuffling and collating cost", lambda m: m.loading_costs()),
        Lesson("What prefetching hides", lambda m: m.prefetch_gain()),
    ),
    "tt-autograd": (
        Lesson("What the graph keeps alive", lambda m: m.kept_bytes()),
        Lesson("Checkpointing", lambda m: m.checkpoint_costs(), lambda m, got: m.plot_checkpoint_costs(got)),
        Lesson("Why gradients accumulate", lambda m: m.shared_weight_gradients()),
    ),
    "tt-optim": (
        Lesson("Bytes of each optimizer", lambda m: m.optimizer_bytes()),
        Lesson("Down a ravine", lambda m: m.descend(), lambda m, got: m.plot_ravine(got)),
    ),
    "tt-train": (
        Lesson("Where a step's memory goes", lambda m: m.step_memory(), lambda m, _: m.plot_step_memory()),
        Lesson("Accumulation", lambda m: m.accumulation(), lambda m, got: m.plot_accumulation(got)),
        Lesson("float16", lambda m: m.half_precision()),
    ),
    "tt-conv": (
        Lesson(
            "Loops, im2col, blocks",
            lambda m: m.kernel_times(),
            lambda m, got: m.plot_kernel_times(got),
        ),
        Lesson("What im2col writes", lambda m: m.column_memory(), lambda m, got: m.plot_memory(got)),
    ),
    "tt-tokenizers": (
        Lesson(
            "Vocabulary against length and speed",
            lambda m: m.vocabulary_sizes(),
            lambda m, got: m.plot_vocabulary_sizes(got),
        ),
        Lesson("Counting again against updating", lambda m: m.recount_against_update()),
    ),
    "tt-embeddings": (
        Lesson("Bytes of a table", lambda m: m.table_bytes(50_257, 768)),
        Lesson("Lookup against one-hot product", lambda m: m.lookup_costs(), lambda m, got: m.plot_lookup(got)),
    ),
    "tt-attention": (
        Lesson("Time and memory against length", _attention, lambda m, got: m.plot_costs(got)),
        Lesson("Exponent of the length", lambda m: m.exponents(_attention(m))),
    ),
    "tt-transformers": (
        Lesson(
            "Parameters and FLOPs of a block",
            lambda m: m.block_costs(),
            lambda m, got: m.plot_block_costs({256: got}),
        ),
        Lesson("Where a step's time goes", _step, lambda m, got: m.plot_step_times(got)),
    ),
}


def of(package: Package) -> tuple[ModuleType, tuple[Lesson, ...]]:
    """Return a package's module of lessons and what there is to measure, from a fixed seed: what is no time recurs.

    Raises:
        TitoError: If the package has no lesson or is not installed.
    """
    if package.distribution not in LESSONS:
        got = f"module {package.module}, {package.distribution}"
        raise TitoError("this module has no lesson yet", got, f"choose one of {', '.join(LESSONS)}")
    require(package)
    lessons = importlib.import_module(f"{package.import_name}.lessons")
    # Asked of tinytorch, the seed would load tt-autograd, which may be half written while one measures what is below.
    if (tensor := sys.modules.get("tt_tensor")) is not None:
        tensor.manual_seed(0)
    return lessons, LESSONS[package.distribution]


def rows(measured: object) -> list[Row]:
    """Return what a lesson measured as rows of a table: one a record, name or number."""
    if isinstance(measured, Mapping):
        return [{"what": str(name), **_value(value)} for name, value in measured.items()]
    if isinstance(measured, (list, tuple)) and not _is_record(measured):
        return [_record(each) if _is_record(each) else {"value": _plain(each)} for each in measured]
    return [_record(measured)]


def _is_record(value: object) -> bool:
    return dataclasses.is_dataclass(value) or isinstance(getattr(value, "_fields", None), tuple)


def _record(value: object) -> Row:
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
    else:
        names = list(getattr(value, "_fields", ()))
    names += [name for name, member in vars(type(value)).items() if isinstance(member, property)]
    return {name: _plain(getattr(value, name)) for name in dict.fromkeys(names)}


def _value(value: object) -> Row:
    """Return a number as it is, and a course of numbers by its ends."""
    if _is_record(value):
        return _record(value)
    tolist: Callable[[], object] | None = getattr(value, "tolist", None)
    course = tolist() if tolist is not None else value
    if isinstance(course, Sequence) and not isinstance(course, str) and course:
        return {"first": _plain(course[0]), "last": _plain(course[-1])}
    return {"value": _plain(value)}


def _plain(value: object) -> Json:
    """Return a value as JSON can hold it: NumPy's numbers become Python's, NaN and the infinities become text."""
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    item = getattr(value, "item", None)
    number: object = item() if callable(item) else str(value)
    return _plain(number) if isinstance(number, (bool, int, float)) else str(value)


def shown(name: str, value: Json) -> str:
    """Return one measured value for people: times and ratios with a sign, large counts with commas."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if name in ("ratio", "speedup") and isinstance(value, (int, float)):
        return f"{value:.2f}x"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(shown("", each) for each in value)
    return str(value)


def draw(module: ModuleType, lesson: Lesson, measured: object, path: Path) -> Path | None:
    """Draw what was measured into a PNG file; nothing where there is no drawing or no matplotlib."""
    if lesson.draw is None or importlib.util.find_spec("matplotlib") is None:
        return None
    figure = lesson.draw(module, measured)
    write_atomically(path, lambda stream: figure.savefig(stream, format="png", dpi=120))
    return path
