from __future__ import annotations

import math

import numpy as np
import pytest

from tools.bench import inputs, results
from tools.bench.__main__ import chosen
from tools.bench.works import MNIST, WORKS, Work

RATIO = Work("clip", "clipping", "time", 0.5, "ms", 1e3, "clip_adam")
OWN = Work("import", "import", "import", 60.0, "ms", 1e3, "import", absolute=True)


def test_row_takes_medians_and_pairs_rounds() -> None:
    row = results.row(RATIO, {"ours": [0.001, 0.002, 0.009], "torch": [0.002, 0.004, 0.006]})
    assert (row.ours, row.torch, row.ratio) == pytest.approx((2.0, 4.0, 0.5))
    assert row.spread == pytest.approx((0.5, 1.0))
    assert row.passed is True  # the bar itself is kept


def test_bar_of_ratio_and_bar_of_own_figure() -> None:
    slow = {"ours": [0.08], "torch": [1.0]}
    assert results.row(RATIO, slow).passed is True
    assert results.row(OWN, slow).passed is False
    assert results.row(MNIST[0], slow).passed is None


def test_nothing_to_divide_by_is_no_pass() -> None:
    row = results.row(RATIO, {"ours": [1.0], "torch": [0.0]})
    assert math.isnan(row.ratio)
    assert row.passed is False
    assert "-" in results.cells(row)


def test_unequal_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="2 and 1"):
        results.row(RATIO, {"ours": [1.0, 2.0], "torch": [1.0]})


def test_disagreement_is_the_worst_and_never_hides_nan() -> None:
    assert results.disagreement({"ours": [1.0, 2.0], "torch": [1.0, 1.5]}) == 0.5
    assert results.disagreement({"ours": [1.0, math.nan], "torch": [1.0, 1.5]}) == math.inf
    with pytest.raises(ValueError, match="zip"):
        results.disagreement({"ours": [1.0], "torch": []})


def test_tables_say_pass_and_miss() -> None:
    rows = [
        results.row(RATIO, {"ours": [0.001], "torch": [0.004]}),
        results.row(OWN, {"ours": [0.070], "torch": [1.0]}),
    ]
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
    assert MNIST[0] in chosen(None, mnist=True)
    with pytest.raises(SystemExit, match="there are"):
        chosen(["no such work"], mnist=False)


def test_problems_are_the_same_each_time() -> None:
    first, second = inputs.mlp(8), inputs.mlp(8)
    assert [weight.shape for weight in first.weights] == [(784, 128), (128, 64), (64, 10)]
    np.testing.assert_array_equal(first.batches[0][0], second.batches[0][0])
