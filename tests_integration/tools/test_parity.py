"""The comparer of tools/parity sees what is wrong; PyTorch is not needed for that."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable

import pytest
import tinytorch as tt

from tools.parity.compare import Case, Errors, apart, evaluate, given, real


def compared(right: Callable[..., object], wrong: Callable[..., object], dtype: str = "float64") -> Errors:
    case = Case("function: row", wrong, right, (real(3, 4), real(4)))
    return apart(evaluate(wrong, case, dtype), evaluate(right, case, dtype))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_equal_functions_lie_at_zero(dtype: str) -> None:
    assert compared(tt.multiply, tt.multiply, dtype) == Errors(0.0, 0.0)


def test_a_wrong_value_is_seen() -> None:
    errors = compared(tt.multiply, lambda x, y: x * y + 1e-6)
    assert 1e-7 < errors.forward < 2e-6
    assert errors.gradient == 0.0
    assert not errors.within(1e-10)


def test_a_wrong_gradient_behind_a_right_value_is_seen() -> None:
    errors = compared(lambda x, y: 2 * x * y, lambda x, y: x * y + (x * y).detach())
    assert errors.forward == 0.0
    assert errors.gradient > 0.01


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda x, y: (x * y).sum(), "shape"),
        (lambda x, y: (x * y).astype("float32"), "dtype"),
        (lambda x, y: (x * y).detach(), "no gradient"),
        (lambda x, y: x.detach() * y, "no gradient"),
        (lambda x, y: (x * y, x), "outputs"),
        (lambda x, y: x * y + math.nan, "NaN"),
    ],
)
def test_what_is_no_rounding_is_infinitely_far(wrong: Callable[..., object], why: str) -> None:
    errors = compared(tt.multiply, wrong)
    assert not errors.within(1e300)
    assert why in errors.why


def test_equal_infinities_and_nans_agree() -> None:
    case = Case("edges", tt.exp, tt.exp, (given([math.inf, math.nan, 1.0]),))
    assert apart(evaluate(tt.exp, case, "float64"), evaluate(tt.exp, case, "float64")).forward == 0.0


def test_the_command_fails_on_a_wrong_row_and_on_a_missing_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    from tools.parity import __main__ as command

    assert command.main(["relu"]) == 0
    right = next(case for case in command.CASES if case.function == "relu")
    broken = Case(right.name, lambda x: tt.abs(x), right.theirs, right.draws)
    monkeypatch.setattr(command, "CASES", [broken])
    assert command.main(["relu"]) == 1
    assert "FAIL float64 relu" in capsys.readouterr().out
    assert "tt_tensor.matmul" in command.missing([broken])


def test_every_public_function_has_a_row_or_a_reason_and_not_both() -> None:
    pytest.importorskip("torch")
    from tools.parity import __main__ as command
    from tools.parity.differences import WITHOUT_ROW

    assert command.missing(command.CASES) == []
    compared = {case.function for case in command.CASES}
    for package, names in WITHOUT_ROW.items():
        exempt = set(names.split())
        assert exempt <= set(importlib.import_module(package).__all__), package
        assert not exempt & compared, package


def test_rows_have_names_of_their_own() -> None:
    pytest.importorskip("torch")
    from tools.parity.__main__ import CASES

    names = [case.name for case in CASES]  # results are kept, and inputs drawn, by name
    assert sorted(name for name in set(names) if names.count(name) > 1) == []
