from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest
from tinytorch.packages import PACKAGES

Python = Callable[..., str]
Hide = Callable[..., ModuleType]
EVERY = tuple(package.import_name for package in PACKAGES)


def all_but(*kept: str) -> tuple[str, ...]:
    return tuple(name for name in EVERY if name not in kept)


def test_with_none_it_imports_and_says_what_to_install(python: Python) -> None:
    code = """
import tinytorch as tt
assert dir(tt.nn) == ["functional", "init"], dir(tt.nn)
for use in (lambda: tt.Tensor, lambda: tt.nn.Linear, lambda: tt.nn.functional.relu, lambda: tt.no_grad):
    try:
        use()
    except tt.MissingPackageError as error:
        print(error)
from tinytorch.nn import *
"""
    lines = python(code, EVERY).splitlines()
    install = 'which is not installed: pip install "tinytorch[foundation]"'
    assert lines == [
        f"tt.Tensor needs tt-tensor (module 1), {install}",
        f"tt.nn.Linear needs tt-layers (module 3), {install}",
        f"tt.nn.functional.relu needs tt-activations (module 2), {install}",
        f"tt.no_grad needs tt-autograd (module 6), {install}",
    ]


def test_from_import_keeps_the_message(python: Python) -> None:
    code = """
try:
    from tinytorch.nn import Conv2d
except ImportError as error:
    print(error)
"""
    assert python(code, EVERY) == (
        'tt.nn.Conv2d needs tt-conv (module 9), which is not installed: pip install "tinytorch[architecture]"'
    )


def test_with_one_package(python: Python) -> None:
    code = """
import tinytorch as tt
print(tt.ones(2).shape, tt.core.tensor.Tensor is tt.Tensor, "no_grad" in dir(tt), "Tensor" in dir(tt))
"""
    assert python(code, all_but("tt_tensor")) == "(2,) True False True"


def test_without_autograd_nothing_else_is_missing(python: Python) -> None:
    code = """
import tinytorch as tt
print(tt.nn.Linear(2, 3)(tt.ones(4, 2)).shape)
"""
    assert python(code, ("tt_autograd", "tt_optim", "tt_train")) == "(4, 3)"


def test_what_a_package_needs_in_turn_is_named(python: Python) -> None:
    code = """
import tinytorch as tt
try:
    tt.nn.Linear
except tt.MissingPackageError as error:
    print(error)
"""
    said = python(code, all_but("tt_layers", "tt_activations"))
    assert said.startswith(
        ("tt.nn.Linear needs tt-layers, and that needs tt-tensor (module 1), which is not installed",)
    )


@pytest.mark.parametrize("first", ["tt.Tensor", "tt.nn.Linear", "tt.data.TensorDataset", "tt.core.losses.mse_loss"])
def test_whatever_comes_first_gradients_are_recorded(python: Python, first: str) -> None:
    code = f"""
import tinytorch as tt, sys
assert "tt_autograd" not in sys.modules
import tinytorch.core.losses
{first}
from tt_tensor import Tensor
x = Tensor([3.0], requires_grad=True)
(x * x).sum().backward()
print(x.grad.tolist())
"""
    assert python(code) == "[6.0]"


def test_threads_wait_for_a_package_that_another_is_importing(python: Python) -> None:
    code = """
import importlib.abc, importlib.machinery, sys, threading, time
import tinytorch as tt
started, asked = threading.Event(), threading.Event()
class Slow(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name == "tt_layers" else None
    def exec_module(self, module):
        started.set()
        asked.wait(10)
        time.sleep(0.2)  # in which who does not wait finds a module that is not finished
        module.Linear = "Linear"
        module.__all__ = ["Linear"]
sys.meta_path.insert(0, Slow())
first = threading.Thread(target=lambda: tt.nn.Linear)
first.start()
started.wait(10)
asked.set()
print(tt.nn.Linear, tt.core.layers.Linear)
first.join()
"""
    assert python(code, all_but("tt_layers")) == "Linear Linear"


def test_importing_loads_nothing(python: Python) -> None:
    code = f"""
import sys
import tinytorch, tinytorch.nn, tinytorch.nn.functional, tinytorch.optim, tinytorch.core.layers
heavy = {{"numpy", "inspect", "dataclasses", "importlib.metadata", "ast", *{EVERY!r}}}
print(sorted(heavy & set(sys.modules)))
"""
    assert python(code) == "[]"


def test_sources_count_what_is_loaded_only_if_asked(python: Python) -> None:
    code = """
import tinytorch.milestone
print(tinytorch.milestone.sources(loaded=True), "tt-tensor" in tinytorch.milestone.sources())
"""
    assert python(code) == "{} True"


def test_an_error_inside_a_package_is_not_hidden(python: Python) -> None:
    code = """
import tinytorch as tt
try:
    tt.Tensor
except ModuleNotFoundError as error:
    print(type(error).__name__, error.name)
"""
    assert python(code, ("numpy",)) == "ModuleNotFoundError numpy"


def test_hidden_in_this_process_they_are_named_too(hide: Hide) -> None:
    tt = hide(*EVERY)
    assert dir(tt.nn) == ["functional", "init"]
    with pytest.raises(ImportError, match=r"tt\.Tensor needs tt-tensor \(module 1\), which is not installed"):
        tt.Tensor  # noqa: B018  # asking is the test
    with pytest.raises(ImportError, match=r"tinytorch\.core\.layers\.Linear needs tt-layers"):
        tt.core.layers.Linear  # noqa: B018
    assert tt.packages.sources() == {}
    assert [tt.packages.version_of(package) for package in tt.packages.PACKAGES] == [None] * 20


def test_a_broken_engine_is_not_taken_for_an_absent_one(python: Python) -> None:
    # tt-autograd is there and what it needs is not: silence would mean a facade that never trains.
    code = """
import tinytorch as tt
try:
    tt.Tensor
except tt.MissingPackageError as error:
    print(error)
"""
    said = python(code, ("tt_losses",))
    assert said.startswith("tt.Tensor needs tt-autograd, and that needs tt-losses (module 4), which is not installed")
