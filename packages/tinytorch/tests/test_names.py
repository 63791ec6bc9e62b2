from __future__ import annotations

import importlib
import pydoc
from importlib.util import find_spec

import pytest
import tinytorch as tt
from tinytorch.packages import BUILT, PACKAGES, PLANNED, Package

SHOWN = [
    pytest.param(package, space, id=f"{package.distribution}-{space or 'tt'}")
    for package in BUILT
    for space in package.names
]


def shown(package: Package, space: str) -> list[tuple[str, str]]:
    """Return (module of the package, name) for each name that a package shows in a lazy module."""
    module, pairs = package.import_name, []
    for word in package.names[space].split():
        if word.endswith(":"):
            module = f"{package.import_name}.{word[:-1]}"
        else:
            pairs.append((module, word))
    return pairs


@pytest.mark.parametrize(("package", "space"), SHOWN)
def test_every_name_of_the_table_is_public_and_the_very_object(package: Package, space: str) -> None:
    facade = importlib.import_module(f"tinytorch.{space}" if space else "tinytorch")
    for module, name in shown(package, space):
        original = importlib.import_module(module)
        assert name in original.__all__, f"{module} does not offer {name}"
        assert getattr(facade, name) is getattr(original, name)
        assert name in dir(facade)


def test_no_name_stands_twice_in_one_module() -> None:
    for space in {space for package in PACKAGES for space in package.names}:
        names = [name for package in PACKAGES if space in package.names for _, name in shown(package, space)]
        assert len(names) == len(set(names)), f"{space}: {sorted(name for name in names if names.count(name) > 1)}"


def test_twenty_modules_each_once() -> None:
    assert [package.module for package in PACKAGES] == list(range(1, 21))
    assert [package.tier for package in PACKAGES] == ["foundation"] * 8 + ["architecture"] * 5 + ["optimization"] * 7


@pytest.mark.parametrize("package", BUILT, ids=lambda package: package.core)
def test_core_shows_a_package_whole(package: Package) -> None:
    core = importlib.import_module(f"tinytorch.core.{package.core}")
    original = importlib.import_module(package.import_name)
    assert sorted(core.__all__) == sorted(original.__all__)
    assert sorted(dir(core)) == sorted(original.__all__)
    for name in original.__all__:
        assert getattr(core, name) is getattr(original, name)


def test_from_imports() -> None:
    from tinytorch import Tensor, nn
    from tinytorch.core.layers import Linear
    from tinytorch.nn import functional
    from tinytorch.nn.functional import relu

    assert nn.Linear is Linear is tt.nn.Linear
    assert functional.relu is relu
    assert isinstance(relu(tt.ones(2)), Tensor)


def test_a_name_is_looked_up_once() -> None:
    assert tt.optim.Adam is vars(tt.optim)["Adam"]  # from now on Python finds it without asking the facade


def test_star_import_brings_what_is_there() -> None:
    names: dict[str, object] = {}
    exec("from tinytorch.optim import *", names)
    assert names["Adam"] is tt.optim.Adam


def test_private_and_unknown_names_are_attribute_errors() -> None:
    for module, name in [(tt, "_primitives"), (tt.nn, "Lineer"), (tt.core, "nothing")]:
        with pytest.raises(AttributeError, match=name):
            getattr(module, name)
    with pytest.raises(AttributeError, match="_kernels"):
        getattr(importlib.import_module("tinytorch.core.layers"), "_kernels")  # noqa: B009  # no type knows it
    with pytest.raises(AttributeError, match="Lineer"):
        getattr(tt.core.layers, "Lineer")  # noqa: B009


def test_a_name_in_the_wrong_place_is_led_to_the_right_one() -> None:
    with pytest.raises(AttributeError, match=r"tt has no 'Linear'; did you mean tt\.nn\.Linear\?"):
        getattr(tt, "Linear")  # noqa: B009  # no type knows it


@pytest.mark.parametrize("package", [each for each in PLANNED if find_spec(each.import_name) is None], ids=str)
def test_a_planned_package_is_named_and_nothing_that_does_not_exist_is_to_be_installed(package: Package) -> None:
    for space in package.names:
        facade = importlib.import_module(f"tinytorch.{space}" if space else "tinytorch")
        for _, name in shown(package, space):
            with pytest.raises(tt.MissingPackageError) as caught:
                getattr(facade, name)
            message = str(caught.value)
            assert message.startswith(f"tt.{space}.{name} needs {package.distribution} (module {package.module})")
            assert message.endswith("which is planned and not written yet: use a package of that name of your own")
            assert caught.value.name == package.import_name
            assert name not in dir(facade)
    core = importlib.import_module(f"tinytorch.core.{package.core}")
    waits = f"tinytorch.core.{package.core}.*needs {package.distribution}"
    for name in ("__all__", *package.known):
        with pytest.raises(tt.MissingPackageError, match=waits):
            getattr(core, name)
    with pytest.raises(AttributeError, match=waits):
        getattr(core, "pytest_plugins")  # noqa: B009  # as pytest asks
    assert dir(core) == []


def test_version_is_the_distributions() -> None:
    from importlib import metadata

    try:
        expected = metadata.version("tinytorch")
    except metadata.PackageNotFoundError:
        pytest.skip("tinytorch is on the path without being installed")
    assert tt.__version__ == expected


def test_what_is_not_installed_has_no_version_and_says_so_the_way_python_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)
    assert not hasattr(tt, "__version__")
    assert "machine-learning framework" in pydoc.render_doc(tt)
