"""Matrix products and einsum."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
import tt_tensor as tt
from hypothesis import given
from tt_tensor import Tensor


@pytest.mark.parametrize(
    ("a", "b"),
    [((3,), (3,)), ((3,), (3, 4)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((5, 1, 2, 3), (6, 3, 4)),
     ((5, 2, 3), (3,)), ((3,), (5, 3, 2)), ((2, 0), (0, 3)), ((0, 3), (3, 2)), ((0,), (0,))],
)  # fmt: skip
def test_as_numpy(a: tuple[int, ...], b: tuple[int, ...], rng: np.random.Generator) -> None:
    x, y = rng.normal(size=a), rng.normal(size=b)
    result = Tensor(x, dtype=np.float64) @ Tensor(y, dtype=np.float64)
    assert result.shape == np.matmul(x, y).shape
    np.testing.assert_allclose(result.data, np.matmul(x, y), rtol=1e-12)
    np.testing.assert_allclose(tt.matmul(Tensor(x), Tensor(y)).data, np.matmul(x, y), rtol=1e-4, atol=1e-5)
    assert (Tensor(x) @ Tensor(y)).dtype == np.float32
    ints = (x * 10).astype(np.int64), (y * 10).astype(np.int64)
    np.testing.assert_array_equal(tt.matmul(*map(Tensor, ints)).data, np.matmul(*ints))


@given(
    n=st.integers(0, 4),
    k=st.integers(0, 5),
    bits=st.integers(1, 29),
    dtype=st.sampled_from([np.int8, np.int16, np.int32, np.int64, np.uint8]),
    seed=st.integers(0, 1000),
)
def test_integers_are_exact(n: int, k: int, bits: int, dtype: type[np.integer], seed: int) -> None:
    info = np.iinfo(dtype)
    rng = np.random.default_rng(seed)
    low, high = max(info.min, -(2**bits)), min(int(info.max), 2**bits)
    a = rng.integers(low, high, (n, k), dtype=dtype, endpoint=True)
    b = rng.integers(low, high, (k, 3), dtype=dtype, endpoint=True)
    result = Tensor(a) @ Tensor(b)
    assert result.dtype == np.int64
    assert result.tolist() == (a.astype(object) @ b.astype(object)).tolist()


def test_large_integers_are_exact_or_refused() -> None:
    big = 2**31 + 1
    assert tt.matmul(Tensor([[big]]), Tensor([[big]])).item() == big * big
    assert tt.matmul(Tensor([2**62, 2**62]), Tensor([1, -1])).item() == 0
    assert tt.matmul(Tensor([2**27 + 1, 1]), Tensor([2**27 + 1, 1])).item() == (2**27 + 1) ** 2 + 1
    with pytest.raises(OverflowError, match=r"matmul.*int64"):
        tt.matmul(Tensor([2**62, 2**62]), Tensor([1, 1]))
    assert tt.matmul(Tensor([[True, True]]), Tensor([[True], [True]])).item() == 2


def test_integers_with_floats_are_float32() -> None:
    assert (Tensor([[1, 2]]) @ Tensor([[0.5], [0.5]])).dtype == np.float32


@pytest.mark.parametrize(("other", "kind"), [(np.float16, np.float16), (np.float32, np.float32), (np.int8, np.float16)])
@pytest.mark.parametrize("shape", [(70, 300), (2, 70, 300), (300,)])
def test_half_precision_is_rounded_once(
    shape: tuple[int, ...], other: type[np.number], kind: type[np.floating], rng: np.random.Generator
) -> None:
    a, b = rng.normal(size=shape).astype(np.float16), (4 * rng.normal(size=(300, 5))).astype(other)
    product = tt.matmul(tt.from_numpy(a), tt.from_numpy(b))
    assert product.dtype == kind
    exact = np.matmul(a.astype(np.float64), b.astype(np.float64))
    # Half a step of the result's type, and what float32 sums may be off.
    allowed = np.spacing(np.abs(exact).astype(kind)).astype(np.float64) * 0.51 + 1e-4
    assert (np.abs(product.data - exact) <= allowed).all()


def test_the_method_and_reflected_operator() -> None:
    x = Tensor([[1.0, 2.0]])
    assert x.matmul([[1.0], [1.0]]).tolist() == (x @ [[1.0], [1.0]]).tolist() == [[3.0]]
    assert ([[2.0]] @ x).tolist() == [[2.0, 4.0]]


@pytest.mark.parametrize(
    ("a", "b", "complaint"),
    [
        ((2, 3), (2, 3), "inner sizes 3 and 2 must be equal - perhaps one side wants a transpose"),
        ((2, 3), (4, 5), "inner sizes 3 and 4 must be equal$"),
        ((3,), (4,), "inner sizes 3 and 4"),
        ((), (3,), "at least one axis"),
        ((3,), (), "at least one axis"),
        ((2, 4, 3), (5, 3, 4), r"leading axes \(2,\) and \(5,\) do not broadcast"),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_shapes_that_do_not_fit(
    a: tuple[int, ...], b: tuple[int, ...], complaint: str, dtype: type[np.generic]
) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        tt.matmul(tt.ones(a, dtype=dtype), tt.ones(b, dtype=dtype))
    assert f"{a} and {b}" in str(caught.value)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [("ij,jk->ik", [(2, 3), (3, 4)]), ("bhtd,bhsd->bhts", [(2, 3, 4, 5), (2, 3, 6, 5)]), ("ij->ji", [(2, 3)]),
     ("ii", [(3, 3)]), ("i,i,i->", [(4,), (4,), (4,)]), ("...i,i->...", [(2, 3, 4), (4,)])],
)  # fmt: skip
def test_einsum_as_numpy(equation: str, shapes: list[tuple[int, ...]], rng: np.random.Generator) -> None:
    arrays = [rng.normal(size=shape) for shape in shapes]
    result = tt.einsum(equation, *[Tensor(array, dtype=np.float64) for array in arrays])
    np.testing.assert_allclose(result.data, np.einsum(equation, *arrays), rtol=1e-12)
    assert tt.einsum(equation, *map(Tensor, arrays)).dtype == np.float32


def test_einsum_says_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match=r"einsum: 'ij,jk->ik' does not fit shapes \(2, 3\), \(4, 5\)"):
        tt.einsum("ij,jk->ik", tt.ones(2, 3), tt.ones(4, 5))


def test_einsum_of_integers_is_exact_like_matmul() -> None:
    x = Tensor(np.full((2, 3), 100, np.int8))
    assert tt.einsum("ij,kj->ik", x, x).tolist() == (x @ x.T).tolist() == [[30_000] * 2] * 2
    assert tt.einsum("ij->", Tensor(np.full((2, 2), 200, np.uint8))).item() == 800
    assert tt.einsum("i,i->", Tensor([True, True]), Tensor([True, True])).item() == 2
    assert tt.einsum("i,i->", Tensor([2]), Tensor([0.5])).dtype == np.float32
