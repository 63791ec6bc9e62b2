from __future__ import annotations

import inspect
import math
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from unittest.mock import MagicMock

import numpy as np
import pytest
import tinytorch as tt
from tt_tensor import current, get_num_threads, set_num_threads, use_interpreter

from tools import scripts
from tools.bench import inputs, parts, problems, process, results
from tools.bench.__main__ import chosen, feasible, main
from tools.bench.works import MNIST, PEAK, WORKS, Work
from tools.packages import ROOT

RATIO = Work("clip", "clipping", "time", 0.5, "ms", "clip_adam")
OWN = Work("import", "import", "import", 60.0, "ms", "import", absolute=True)
WAYS = Work("mlp", "MLP", "time", 0.7, "ms", "mlp", 64, variant="fit", best=("fused", "compile+fused"))
PRODUCT = next(work for work in WORKS if work.job == PEAK)


def both(ours: Sequence[float], torch: Sequence[float]) -> dict[str, Sequence[float]]:
    return {"ours": ours, "torch": torch}


def test_row_takes_medians_and_pairs_rounds() -> None:
    row = results.row(RATIO, both([0.001, 0.002, 0.009], [0.002, 0.004, 0.006]))
    assert (row.ours, row.theirs, row.ratio) == pytest.approx((2.0, 4.0, 0.5))
    assert row.spread == pytest.approx((0.5, 1.0))
    assert row.passed is True  # the bar itself is kept


def test_bar_of_ratio_and_bar_of_own_figure() -> None:
    slow = both([0.08], [1.0])
    assert results.row(RATIO, slow).passed is True
    assert results.row(OWN, slow).passed is False
    assert results.row(MNIST[0], slow).passed is None


def test_the_bar_is_against_the_usual_way_and_the_best_is_beside_it() -> None:
    sides = ("ours", "torch", "torch:fused", "torch:compile+fused")
    assert WAYS.sides == sides
    row = results.row(WAYS, dict(zip(sides, ([0.006], [0.010], [0.004], [0.005]), strict=True)))
    assert row.ratio == pytest.approx(0.6)
    assert row.passed is True
    assert row.best is not None
    assert row.best[0] == "fused"
    assert row.best[1] == pytest.approx(4.0)
    assert results.cells(row)[6:8] == ("4.00 ms (fused)", "1.50")


def test_the_usual_way_may_be_the_best() -> None:
    samples = {"ours": [0.006], "torch": [0.010], "torch:fused": [0.011], "torch:compile+fused": [0.012]}
    best = results.row(WAYS, samples).best
    assert best is not None
    assert best[0] == "as it is"
    assert results.row(RATIO, both([1.0], [2.0])).best is None


def test_floor_is_the_works_operations_at_the_fastest_product() -> None:
    taken = {PEAK: both([0.03, 0.02], [0.04, 0.01])}
    peak = results.peak_of(taken, [WAYS, PRODUCT])
    assert peak == pytest.approx(2 * PRODUCT.size**3 / 0.01)
    row = results.row(WAYS, {side: [0.001] for side in WAYS.sides}, peak)
    assert row.floor == pytest.approx(WAYS.flops / peak * 1e3)
    assert math.isnan(results.row(PRODUCT, both([1.0], [1.0]), peak).floor)
    assert math.isnan(results.peak_of({}, [WAYS]))
    assert results.cells(results.row(RATIO, both([1.0], [2.0]), peak))[8:] == ("", "")


def test_nothing_to_divide_by_is_no_pass() -> None:
    row = results.row(RATIO, both([1.0], [0.0]))
    assert math.isnan(row.ratio)
    assert row.passed is False
    assert "-" in results.cells(row)


def test_unequal_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="2 and 1"):
        results.row(RATIO, both([1.0, 2.0], [1.0]))


def test_disagreement_is_the_worst_and_never_hides_nan() -> None:
    assert results.disagreement(both([1.0, 2.0], [1.0, 1.5])) == 0.5
    assert results.disagreement(both([1.0], [1.0]) | {"torch:fused": [3.0]}) == 2.0
    assert results.disagreement(both([1.0, math.nan], [1.0, 1.5])) == math.inf
    with pytest.raises(ValueError, match="zip"):
        results.disagreement(both([1.0], []))


def test_tables_say_pass_and_miss() -> None:
    rows = [results.row(RATIO, both([0.001], [0.004])), results.row(OWN, both([0.070], [1.0]))]
    text = results.text_table(rows).splitlines()
    assert text[1].endswith("pass")
    assert text[2].endswith("MISS")
    markdown = results.markdown_table(rows).splitlines()
    assert all(line.count("|") == len(results.HEADINGS) + 1 for line in markdown)
    assert "0.250" in markdown[2]


def test_names_choose_works() -> None:
    names = [work.name for work in (*WORKS, *MNIST)]
    assert len(set(names)) == len(names)
    assert [work.name for work in chosen(["ops"], mnist=False)] == ["ops-4", "ops-1000"]
    assert [work.name for work in chosen(["lenet"], mnist=False)] == [PEAK, "lenet"]  # a floor needs the peak
    assert MNIST[0] in chosen(None, mnist=True)
    with pytest.raises(SystemExit, match="no work begins with 'no such work'; there are ops-4"):
        chosen(["ops", "no such work"], mnist=False)
    with pytest.raises(SystemExit, match="with --mnist also mnist-seconds"):
        chosen(["mnist"], mnist=False)


def test_avx2_at_most() -> None:
    limits = process.limited_to_avx2(["X86_V3", "X86_V4", "AVX512_ICL"])
    assert limits["NPY_DISABLE_CPU_FEATURES"] == "X86_V4 AVX512_ICL"
    assert (limits["OPENBLAS_CORETYPE"], limits["ATEN_CPU_CAPABILITY"]) == ("Haswell", "avx2")
    assert "NPY_DISABLE_CPU_FEATURES" not in process.limited_to_avx2(["X86_V3"])
    assert all(isinstance(name, str) for name in process.simd_extensions())


@pytest.mark.skipif(not process.simd_extensions(), reason="this processor has no extensions to go without")
def test_numpy_goes_without_what_it_is_told() -> None:
    code = "from tools.bench import process; print(*process.simd_extensions())"
    limits = process.limited_to_avx2(process.simd_extensions())
    run = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **limits}, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not [name for name in run.stdout.split() if name == "X86_V4" or name.startswith("AVX512")]


def test_without_avx512_pytorch_is_not_compiled(capsys: pytest.CaptureFixture[str]) -> None:
    assert [work.best for work in feasible([WAYS], avx2=True)] == [("fused",)]
    assert "torch.compile is left out: it asks the processor itself" in capsys.readouterr().err


def test_problems_are_the_same_each_time() -> None:
    first, second = problems.problem("mlp", 8), problems.problem("mlp", 8)
    shapes = [layer["weight"].shape for layer in first.weights if layer]
    assert shapes == [(784, 128), (128, 64), (64, 10)]
    np.testing.assert_array_equal(first.batches[0][0], second.batches[0][0])


def test_operations_are_counted_by_hand() -> None:
    one = 784 * 128 + 128 * 64 + 64 * 10  # multiplications of an example's forward pass
    assert problems.network("mlp", 1).flops(training=False) == 2 * one
    assert problems.network("mlp", 64).flops() == 64 * 2 * (3 * one - 784 * 128)
    convolutions = 28 * 28 * 25 * 6 + 10 * 10 * 25 * 6 * 16
    dense = 400 * 120 + 120 * 84 + 84 * 10
    assert problems.network("lenet", 2).flops(training=False) == 2 * 2 * (convolutions + dense)
    places, wide = 256, 384
    attention = 2 * wide * sum(range(1, places + 1))  # scores and mixing, of the places up to each
    forward = 6 * (places * 12 * wide**2 + attention) + places * 65 * wide
    assert problems.network("gpt", 384).flops(training=False) == 8 * 2 * forward


def test_the_cnn_ends_where_its_linear_layer_begins() -> None:
    network = problems.network("cnn", 1)
    assert isinstance(network, problems.Network)
    shape = network.shape
    for layer in network.layers[:-1]:
        shape = layer.after(shape)
    assert shape == (2048,) == network.layers[-1].sizes[:1]
    assert [layer.bias for layer in network.layers if layer.kind == "conv"] == [False] * 6


def test_a_text_is_there_even_without_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TINYTORCH_DATA", raising=False)
    text, real = inputs.shakespeare()
    assert len(text) == 1_100_000
    assert not real


def test_parts_count_the_products_that_the_network_needs() -> None:
    network = problems.network("cnn", 64)
    assert isinstance(network, problems.Network)
    linear = 3 * network.batch_size * network.layers[-1].flops((2048,))
    counted = sum(2 * blocks * m * k * n for blocks, m, k, n in parts.products_of(network))
    assert counted == pytest.approx(network.flops() - linear, rel=0.005)  # blocks are of whole rows


def test_parts_print_what_they_measured(capsys: pytest.CaptureFixture[str]) -> None:
    threads = get_num_threads()
    try:
        assert main(["--parts", "--only", "ops", "--rounds", "1"]) == 0
    finally:
        set_num_threads(threads)
    *_, whole, alone = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\| four operations on 4 elements, 1 thread \| [\d.]+ us \|", whole)
    assert re.fullmatch(r"\| their NumPy calls alone \| [\d.]+ us \|", alone)


def test_stopwatch_counts_the_named_operations_alone() -> None:
    x = tt.Tensor([1.0, 2.0], requires_grad=True)
    none, some = (parts.Stopwatch(current(), names) for names in ((), ("exp",)))
    for watch in (none, some):
        with use_interpreter(watch):
            (tt.nn.functional.relu(x).exp() * 2).sum().backward()
    assert none.seconds == 0 < some.seconds


def test_the_bench_trains_mnist_as_milestone_03_does(monkeypatch: pytest.MonkeyPatch) -> None:
    script = scripts.load(ROOT / "milestones" / "03_1986_mlp" / "run.py", "milestone_03")
    batch_size = inspect.signature(script.train).parameters["batch_size"].default
    asked: list[tuple[tt.nn.Sequential, dict[str, float]]] = []

    def train(_report: object, model: tt.nn.Sequential, _data: object, **settings: float) -> float:
        asked.append((model, settings))
        return 1.0

    monkeypatch.setattr(script, "train", train)
    monkeypatch.setattr(tt.data, "mnist", lambda _split: None)
    script.on_mnist(MagicMock())
    [(model, settings)] = asked
    linear = [layer for layer in model if isinstance(layer, tt.nn.Linear)]
    recipe = problems.MNIST
    assert (*(layer.weight.shape[0] for layer in linear), linear[-1].weight.shape[1]) == recipe.widths
    assert {layer.p for layer in model if isinstance(layer, tt.nn.Dropout)} == {recipe.dropout}
    assert batch_size == recipe.batch_size
    assert settings == {"epochs": recipe.epochs, "lr": recipe.lr, "weight_decay": recipe.weight_decay}
