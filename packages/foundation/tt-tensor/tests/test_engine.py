"""Primitives, the seam they go through, and the slots for other kernels."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, EntryPoints

import numpy as np
import pytest
import tt_tensor as tt
from tt_tensor import Array, Interpreter, Primitive, Tensor


def doubled(x: Array) -> Array:
    """Return twice x."""
    return x * 2


def doubled_and_kept(x: Array) -> tuple[Array, object]:
    return x * 2, "kept"


@pytest.fixture(scope="module")
def double() -> Primitive:
    return Primitive("test_double", doubled, elementwise=True, recording=doubled_and_kept)


class Listing(Interpreter):
    """Remembers the names of what ran."""

    def __init__(self, inner: Interpreter) -> None:
        super().__init__(inner)
        self.names: list[str] = []

    def apply(self, primitive: Primitive, inputs: tuple[Tensor, ...], params: Mapping[str, object]) -> Tensor:
        self.names.append(primitive.name)
        return self.inner.apply(primitive, inputs, params)


class TestPrimitive:
    def test_it_is_a_function_of_tensors(self, double: Primitive) -> None:
        assert double(Tensor([1.0, 2.0])).tolist() == [2.0, 4.0]
        assert double([1, 2]).tolist() == [2, 4]
        assert double.__doc__ == "Return twice x."
        assert repr(double) == "<primitive test_double>"
        assert double.elementwise
        assert not double.view
        assert tt.primitives()["test_double"] is double
        assert tt.primitive_of("test_double") is tt.primitive_of(double) is double
        assert pickle.loads(pickle.dumps(double)) is double

    def test_names_are_unique(self, double: Primitive) -> None:
        with pytest.raises(ValueError, match="test_double"):
            Primitive("test_double", doubled)

    def test_its_own_doc(self) -> None:
        assert Primitive("test_documented", doubled, doc="Mine.").__doc__ == "Mine."

    def test_every_operation_has_one(self) -> None:
        for name in ("add", "matmul", "sum", "reshape", "index", "einsum", "logsumexp", "astype", "copy"):
            assert tt.primitives()[name].reference is tt.primitives()[name].kernel

    def test_public_functions_are_faces(self) -> None:
        for name in ("exp", "sum", "matmul", "reshape", "take", "where", "abs", "concat"):
            assert tt.primitive_of(getattr(tt, name)).name == name
        with pytest.raises(KeyError, match="primitives"):
            tt.primitive_of("no such thing")
        with pytest.raises(KeyError, match="primitives"):
            tt.primitive_of(len)

    def test_applies_marks_a_function(self, double: Primitive) -> None:
        @tt.applies(double)
        def face(x: Tensor) -> Tensor:
            return double(x)

        with tt.use_kernel(face, np.negative):
            assert face(Tensor([1.0])).tolist() == [-1.0]


class TestInterpreters:
    def test_every_operation_goes_through_the_seam(self) -> None:
        x = tt.ones(2, 2)
        listing = Listing(tt.current())
        with tt.use_interpreter(listing):
            _ = (x @ x + 1).sum()
            _ = x[0].reshape(2, 1)
            _ = tt.split(x, 2)
        assert listing.names == ["matmul", "add", "sum", "index", "reshape", "index", "index"]
        assert tt.current() is not listing

    def test_it_ends_even_after_an_error(self) -> None:
        before = tt.current()
        with pytest.raises(KeyError), tt.use_interpreter(Listing(before)):
            raise KeyError
        assert tt.current() is before

    def test_it_belongs_to_its_context(self) -> None:
        seen: list[Interpreter] = []
        with tt.use_interpreter(Listing(tt.current())) as listing:
            thread = threading.Thread(target=lambda: seen.append(tt.current()))
            thread.start()
            thread.join()
        assert seen[0] is not listing

    def test_residuals(self, double: Primitive) -> None:
        x = Tensor([1.0])
        with tt.use_interpreter(Interpreter(tt.Evaluate())) as passing:
            out, residuals = passing.apply_with_residuals(double, (x,), {})
            assert (out.tolist(), residuals) == ([2.0], "kept")
            out, residuals = passing.apply_with_residuals(tt.primitives()["exp"], (Tensor([0.0]),), {})
            assert (out.tolist(), residuals) == ([1.0], None)
            with pytest.raises(RuntimeError, match="tt-autograd"):
                passing.backward(x, None, retain_graph=False)
            assert tt.exp(Tensor([0.0])).item() == 1.0

    def test_pull_runs_a_rule(self, double: Primitive) -> None:
        assert tt.current().pull(double, lambda g, scale: g * scale, (3.0,), {"scale": 2.0}) == 6.0

    def test_the_bottom_has_nothing_below(self) -> None:
        with pytest.raises(RuntimeError, match="bottom"):
            _ = Interpreter().inner

    def test_install_is_process_wide(self) -> None:
        before = tt.current()
        listing = Listing(before)
        assert tt.install(lambda _: listing) is listing
        try:
            thread = threading.Thread(target=lambda: tt.ones(1) + 1)
            thread.start()
            thread.join()
            assert listing.names == ["add"]
        finally:
            tt.install(lambda _: before)
        assert tt.current() is before


class TestKernels:
    def test_use_kernel_and_back(self, double: Primitive) -> None:
        x = Tensor([1.0])
        for target in (double, "test_double"):
            with tt.use_kernel(target, np.negative) as inside:
                assert inside is double
                assert double(x).tolist() == [-1.0]
                assert double.recording is None
        assert double.kernel is double.reference
        assert double.recording is doubled_and_kept
        with pytest.raises(ZeroDivisionError), tt.use_kernel(double, np.negative):
            _ = 1 / 0
        assert double(x).tolist() == [2.0]

    def test_use_kernel_of_a_public_function(self) -> None:
        with tt.use_kernel(tt.exp, lambda x: np.zeros_like(x)):
            assert tt.exp(Tensor([1.0])).tolist() == Tensor([1.0]).exp().tolist() == [0.0]

    def test_a_recording_may_come_along(self, double: Primitive) -> None:
        with tt.use_kernel(double, np.negative, recording=doubled_and_kept):
            assert double.recording is doubled_and_kept

    def test_registered_kernels(self, double: Primitive) -> None:
        tt.register_kernel(double, "minus", np.negative)
        tt.register_kernel(double, "minus", np.negative)
        assert tt.kernels(double) == {"reference": doubled, "minus": np.negative}
        with tt.use_kernel(double, "minus"):
            assert double(Tensor([1.0])).tolist() == [-1.0]
        with pytest.raises(ValueError, match="minus"):
            tt.register_kernel(double, "minus", np.positive)
        with pytest.raises(KeyError, match="registered: minus, reference"), tt.use_kernel(double, "nothing"):
            pass

    def test_kernels_of_other_distributions(self, double: Primitive, monkeypatch: pytest.MonkeyPatch) -> None:
        points = EntryPoints(
            [
                EntryPoint("test_double.installed", "numpy:positive", "tinytorch.kernels"),
                EntryPoint("exp.other", "numpy:exp", "tinytorch.kernels"),
            ]
        )
        select: Callable[..., EntryPoints] = points.select
        monkeypatch.setattr("importlib.metadata.entry_points", select)
        assert tt.kernels(double)["installed"] is np.positive
        assert "other" not in tt.kernels(double)

    def test_every_registered_kernel_agrees_with_the_reference(self, rng: np.random.Generator) -> None:
        x = rng.normal(size=(3, 4)).astype(np.float32)
        for name in ("exp", "tanh", "erf", "sin"):
            expected = tt.primitives()[name].reference(x)
            for kernel in tt.kernels(name).values():
                np.testing.assert_allclose(kernel(x), expected, rtol=1e-5)
