"""Where our time goes in the works that miss their bar: `nox -s bench -- --parts`."""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from statistics import median
from typing import TypeVar

import numpy as np
from tt_tensor import (
    Array,
    Interpreter,
    Primitive,
    Tensor,
    current,
    run_together,
    set_num_threads,
    split_work,
    use_interpreter,
)

from tools.bench import inputs, problems
from tools.bench.networks_ours import Training
from tools.bench.ours import epoch, ops
from tools.bench.problems import Network, problem

T = TypeVar("T")
Rows = list[tuple[str, str]]

THREADS = 2
BLOCK = 1 << 18  # numbers in a block of columns, as tt-conv cuts them


def seconds(run: Callable[[], object], rounds: int, times: int = 1) -> float:
    """Give the median time of a run, of which each round makes so many."""
    run()
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(times):
            run()
        found.append((time.perf_counter() - start) / times)
    return median(found)


def four_operations(rounds: int) -> Rows:
    """Compare four recorded operations with what they ask of NumPy."""
    set_num_threads(1)
    x, w, b = inputs.operands(4)

    def bare() -> None:
        product = x * w
        total = product + b
        np.add.reduce(np.maximum(total, 0))
        g = np.ones(4, np.float32) * (total > 0)
        _ = g * w, g * x

    whole, alone = seconds(ops(4).run, rounds, 2000), seconds(bare, rounds, 2000)
    return [
        ("four operations on 4 elements, 1 thread", f"{whole * 1e6:.1f} us"),
        ("their NumPy calls alone", f"{alone * 1e6:.1f} us"),
    ]


def shuffled_epoch(rounds: int) -> Rows:
    """Compare an epoch of batches with the indexing alone."""
    x, y, _ = inputs.images("train")
    order = np.random.default_rng(0).permutation(len(x))

    def indexing() -> None:
        for start in range(0, len(x), 64):
            x.take(order[start : start + 64], axis=0)
            y.take(order[start : start + 64], axis=0)

    whole, alone = seconds(epoch(64).run, rounds), seconds(indexing, rounds)
    return [
        ("shuffled epoch, batch 64", f"{whole * 1e3:.1f} ms"),
        ("its `take` alone", f"{alone * 1e3:.1f} ms"),
    ]


class Stopwatch(Interpreter):
    """Add up the time of some operations, forward and backward."""

    def __init__(self, inner: Interpreter, names: Iterable[str]) -> None:
        super().__init__(inner)
        self.names, self.seconds = frozenset(names), 0.0

    def timed(self, primitive: Primitive, run: Callable[[], T]) -> T:
        """Run it; count its time if it is one of those."""
        start = time.perf_counter()
        result = run()
        if primitive.name in self.names:
            self.seconds += time.perf_counter() - start
        return result

    def apply(self, primitive: Primitive, inputs: tuple[Tensor, ...], params: Mapping[str, object]) -> Tensor:
        """Time the operation."""
        return self.timed(primitive, partial(self.inner.apply, primitive, inputs, params))

    def apply_with_residuals(
        self, primitive: Primitive, inputs: tuple[Tensor, ...], params: Mapping[str, object]
    ) -> tuple[Tensor, object]:
        """Time the operation."""
        return self.timed(primitive, partial(self.inner.apply_with_residuals, primitive, inputs, params))

    def pull(
        self, primitive: Primitive, rule: Callable[..., T], arguments: Sequence[object], params: Mapping[str, object]
    ) -> T:
        """Time the rule."""
        return self.timed(primitive, partial(rule, *arguments, **params))


def products_of(network: Network) -> list[tuple[int, int, int, int]]:
    """Give the products of a step's convolutions: how many blocks, and (M, K, N) of each."""
    shape, found = network.shape, []
    for index, layer in enumerate(network.layers):
        after = layer.after(shape)
        if layer.kind == "conv":
            inputs_, outputs, kernel, _ = layer.sizes
            places = network.batch_size * math.prod(after[1:])
            of_input, of_output = inputs_ * kernel**2, outputs * kernel**2
            blocks, rows = cut(places, of_input)
            found += [(blocks, rows, of_input, outputs), (blocks, of_input, rows, outputs)]  # forward; the weight's
            if index:
                blocks, rows = cut(places, of_output)
                found.append((blocks, rows, of_output, inputs_))
        shape = after
    return found


def cut(places: int, width: int) -> tuple[int, int]:
    """Give how many even blocks of columns there are, and how many rows each has."""
    blocks = math.ceil(places * width / BLOCK)
    return blocks, math.ceil(places / blocks)


def product_seconds(products: Sequence[tuple[int, int, int, int]], rounds: int) -> float:
    """Time products of these shapes on two threads, each on its own memory, without anything between them."""
    total = 0.0
    for blocks, m, k, n in products:
        memory = [tuple(np.ones(shape, np.float32) for shape in ((m, k), (k, n), (m, n))) for _ in range(THREADS)]

        def work(start: int, stop: int, memory: Sequence[tuple[Array, ...]] = memory) -> None:
            a, b, out = memory[start > 0]
            for _ in range(start, stop):
                np.matmul(a, b, out=out)

        total += seconds(partial(split_work, work, blocks, seconds=1.0), rounds)
    return total


def cnn_step(rounds: int) -> Rows:
    """Take the convolutional network's step apart."""
    set_num_threads(THREADS)
    training = Training(problem("cnn", 64))
    steps = len(training.batches)
    whole = seconds(training.loop, rounds) / steps
    watch = Stopwatch(current(), ("conv2d",))
    found = []
    with use_interpreter(watch):
        training.loop()
        for _ in range(rounds):
            watch.seconds = 0.0
            training.loop()
            found.append(watch.seconds / steps)
    network = problems.network("cnn", 64)
    assert isinstance(network, Network)
    alone = product_seconds(products_of(network), rounds)
    return [
        ("the CNN's step", f"{whole * 1e3:.0f} ms"),
        ("its convolutions, forward and backward", f"{median(found) * 1e3:.0f} ms"),
        ("their matrix products alone", f"{alone * 1e3:.0f} ms"),
    ]


def gpt_step(rounds: int) -> Rows:
    """Compare half a GPT's batch alone with one of two halves side by side, and count how often a thread waits.

    A thread waits when it leaves the processor of its own accord, which Linux counts: for Python's lock, mostly.
    """
    set_num_threads(THREADS)
    whole = Training(problem("gpt", 128))
    step = seconds(whole.fit, rounds) / len(whole.batches)
    halves = [Training(problem("gpt", 128)) for _ in range(THREADS)]

    def half(number: int) -> tuple[float, int]:
        training = halves[number]
        x, y = training.batches[0]
        rows = x.shape[0] // THREADS
        sleeps = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
        start = time.perf_counter()
        training.criterion(training.model(x[:rows]), y[:rows]).backward()
        took = time.perf_counter() - start
        training.model.zero_grad()
        return took, resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw - sleeps

    run_together([partial(half, number) for number in range(THREADS)])  # matrix products on one thread from now on
    set_num_threads(1)
    alone = [half(0) for _ in range(4 * rounds)]
    set_num_threads(THREADS)
    together = [each for _ in range(4 * rounds) for each in run_together([partial(half, n) for n in range(THREADS)])]
    return [
        ("GPT d128's step", f"{step * 1e3:.0f} ms"),
        ("half its batch forward and backward, alone on one thread", f"{median(t for t, _ in alone) * 1e3:.0f} ms"),
        ("the same beside the other half", f"{median(t for t, _ in together) * 1e3:.0f} ms"),
        ("how often a thread of it waits for the other", f"{median(n for _, n in together):.0f} times"),
    ]


PARTS = {"ops": four_operations, "epoch": shuffled_epoch, "cnn": cnn_step, "gpt": gpt_step}


def report(rounds: int, only: Sequence[str] | None) -> None:
    """Print the table of all works, or of those whose name begins so."""
    print("| part | time |\n| --- | ---: |")
    for name, take_apart in PARTS.items():
        if only is None or any(name.startswith(wanted) for wanted in only):
            for label, figure in take_apart(rounds):
                print(f"| {label} | {figure} |", flush=True)
