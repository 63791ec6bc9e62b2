"""A model as text: its table, and its repr."""

from __future__ import annotations

import numpy as np
from tt_layers import Buffer, Dropout, Linear, Module, Parameter, Sequential
from tt_tensor import Tensor, manual_seed, rng_state


class Counting(Module):
    """Like a batch norm: while training, a call leaves a trace."""

    def __init__(self) -> None:
        self.calls = Buffer([0.0, 0.0, 0.0])
        self.scale = Parameter([1.0, 2.0])

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.calls.data[...] += 1.0
        return x


class Pair(Module):
    """Returns two tensors, as an attention with its weights does."""

    def __init__(self) -> None:
        self.inside = Linear(2, 3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]  # that is the point
        return self.inside(x), x


class First(Module):
    def __init__(self) -> None:
        self.pair = Pair()

    def forward(self, x: Tensor) -> Tensor:
        outputs: object = self.pair(x)
        assert isinstance(outputs, tuple)
        first = outputs[0]
        assert isinstance(first, Tensor)
        return first


SHAPED = """\
module  kind        output     parameters      bytes
----------------------------------------------------
0       Dropout     (2, 300)            0          0
1       Linear      (2, 1000)     301,000  1,204,000
----------------------------------------------------
total   Sequential                301,000  1,204,000"""
PLAIN = """\
module  kind        parameters      bytes
-----------------------------------------
0       Dropout              0          0
1       Linear         301,000  1,204,000
-----------------------------------------
total   Sequential     301,000  1,204,000"""


def test_summary_is_a_table() -> None:
    model = Sequential(Dropout(0.5), Linear(300, 1000))
    assert model.summary(Tensor(np.zeros((2, 300)))) == SHAPED
    assert model.summary() == PLAIN


def test_summary_counts_and_shows_the_shapes_of_outputs() -> None:
    model = Sequential(Linear(4, 8), Linear(8, 2, bias=False))
    plain = model.summary()
    assert "Linear" in plain
    assert "40" in plain
    assert "56" in plain  # 4 * 8 + 8 + 8 * 2
    assert "224" in plain  # bytes
    assert "(5, 8)" not in plain
    shown = model.summary(Tensor(np.zeros((5, 4))))
    assert "(5, 8)" in shown
    assert "(5, 2)" in shown
    next(model.children()).requires_grad_(False)
    assert "frozen parameters: 40" in model.summary()
    assert "bytes of buffers: 12" in Counting().summary()


def test_summary_leaves_the_model_and_the_generator_as_they_were() -> None:
    manual_seed(0)
    model = Sequential(Counting(), Dropout(0.5), Linear(2, 1))
    model[1].training = False  # type: ignore[attr-defined]  # a Dropout
    before = rng_state()
    model.summary(Tensor(np.ones((4, 2))))
    assert rng_state() == before
    assert next(model.buffers()).tolist() == [0.0, 0.0, 0.0]
    assert [module.training for module in model.modules()] == [True, True, False, True]


def test_summary_takes_modules_that_return_several_tensors() -> None:
    shown = First().summary(Tensor(np.ones((4, 2)))).splitlines()
    row = next(line for line in shown if line.startswith("pair.inside"))
    assert "(4, 3)" in row
    row = next(line for line in shown if line.startswith("pair "))
    assert "(4, 3)" in row  # of the first


def test_a_module_that_knows_its_parent_can_be_shown() -> None:
    class Child(Module):
        def __init__(self, parent: Module) -> None:
            self.parent = parent

    parent = Module()
    parent.child = Child(parent)  # type: ignore[attr-defined]  # attributes are free
    assert "(child): Child" in repr(parent)
