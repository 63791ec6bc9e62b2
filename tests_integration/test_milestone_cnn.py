"""Milestone 04 passes on embedded data, and its gate fails as soon as one of its layers is broken."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tinytorch as tt
from tt_tensor import use_kernel

from tools import scripts
from tools.packages import ROOT

Array = npt.NDArray[Any]
FOLDER = ROOT / "milestones" / "04_1998_cnn"
NAME = FOLDER.name


def only_the_centre(x: Array, weight: Array, bias: Array | None = None, **settings: Any) -> Array:
    """Convolve as if each filter had nothing but its middle."""
    high, wide = weight.shape[2:]
    (top, bottom), (left, right) = settings["padding"]
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    rows, columns = padded.shape[2] - high + 1, padded.shape[3] - wide + 1
    seen = padded[:, :, high // 2 : high // 2 + rows, wide // 2 : wide // 2 + columns]
    out: Array = np.einsum("nchw,oc->nohw", seen, weight[:, :, high // 2, wide // 2])
    return out if bias is None else out + bias[:, None, None]


def nothing(x: Array, **settings: Any) -> Array:
    """Pool every window to zero."""
    high, wide = settings["kernel"]
    return np.zeros((*x.shape[:2], x.shape[2] // high, x.shape[3] // wide), x.dtype)


def not_normalised(x: Array, moments: Array, *affine: Array, **settings: Any) -> Array:
    """Forget the images, and return what is left of the shift alone."""
    return np.maximum(x * 0 + (affine[1][:, None, None] if len(affine) == 2 else 0), 0)


BROKEN: dict[str, Callable[..., Array]] = {
    "conv2d": only_the_centre,
    "avg_pool2d": nothing,
    "max_pool2d": nothing,
    "batch_norm_relu": not_normalised,
    "tanh": lambda x: x * 0,
}
BUILT_OF = {
    "conv2d": ("LeNet-5", "modern"),
    "avg_pool2d": ("LeNet-5",),
    "max_pool2d": ("modern",),
    "batch_norm_relu": ("modern",),
    "tanh": ("LeNet-5",),
}


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))  # as Python does for the script that it runs
    return scripts.load(FOLDER / "run.py", f"milestone_{NAME}")


def result_in(out: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((out / f"{NAME}.json").read_text())
    return result


def test_the_gate_holds_from_three_seeds_and_untrained_nets_guess(script: ModuleType, tmp_path: Path) -> None:
    assert script.main(["--seed", "0", "--out", str(tmp_path)]) == 0
    result = result_in(tmp_path)
    assert result["passed"] is True
    assert result["data_set"] == "digits"
    assert [len(values) for values in result["metrics"]["accuracies"].values()][:4] == [3, 3, 3, 3]
    untrained = [
        each["untrained_accuracy"]
        for each in result["metrics"].values()
        if isinstance(each, dict) and "untrained_accuracy" in each
    ]
    assert len(untrained) >= 12
    assert max(untrained) < 0.4
    assert 0.02 < sum(untrained) / len(untrained) < 0.2
    assert sum(map(sum, result["metrics"]["confusion"])) == 355
    assert (tmp_path / result["picture"]).stat().st_size > 100


@pytest.mark.parametrize("name", BROKEN)
def test_the_gate_fails_with_a_broken_layer(name: str, script: ModuleType, tmp_path: Path) -> None:
    asked = []

    def broken(*arrays: Array, **settings: Any) -> Array:
        asked.append(name)
        return BROKEN[name](*arrays, **settings)

    with use_kernel(name, broken):
        code = script.main(["--seeds", "1", "--out", str(tmp_path)])
    assert asked, "the milestone has no such layer any more: break the one in its place"
    assert code == 1
    result = result_in(tmp_path)
    assert result["passed"] is False
    missed = {gate["text"].split(",")[1].split()[0] for gate in result["gates"] if not gate["passed"]}
    assert missed == set(BUILT_OF[name])
    for network in missed:
        # Not only by its accuracy: also by its lead on digits moved by a pixel, which is what a convolution is for.
        text = f"digits moved by a pixel, {network} ahead of the MLP, mean of 1 seeds"
        assert [gate["passed"] for gate in result["gates"] if gate["text"] == text] == [False]


def test_without_neighbours_lenet5_has_no_lead_on_moved_digits(script: ModuleType) -> None:
    recipes = sys.modules["cnn_recipes"]
    order = np.random.default_rng(0).permutation(64)
    digits = tt.data.digits("train"), tt.data.digits("test"), recipes.moved(tt.data.digits("test"))
    lead = {}
    for how in ("as they are", "shuffled"):
        training, test, moved = recipes.normalized(*digits)
        if how == "shuffled":
            training, test, moved = (recipes.shuffled(data, order) for data in (training, test, moved))
        accuracies = []
        for name in ("MLP", "LeNet-5"):
            tt.manual_seed(0)
            accuracies.append(script.fit(recipes.DIGITS[name], training, {"test": test, "moved": moved})[2]["moved"])
        lead[how] = accuracies[1] - accuracies[0]
    assert lead["as they are"] > 0.03
    assert lead["shuffled"] < 0.0


def test_digits_are_moved_by_one_pixel_in_four_directions(script: ModuleType) -> None:
    recipes = sys.modules["cnn_recipes"]
    images = np.zeros((2, 1, 3, 4), np.float32)
    images[0, 0, 1, 2] = 1
    images[1, 0, 0, 0] = 2
    moved = recipes.moved(tt.data.TensorDataset(images, np.array([7, 8]), source="dots"))
    assert moved.y.tolist() == [7, 8] * 4
    first, second = ([np.argwhere(image[0]).tolist() for image in moved.x.numpy()[which::2]] for which in (0, 1))
    assert first == [[[1, 1]], [[1, 3]], [[0, 2]], [[2, 2]]]
    # What leaves the image is gone; it does not come in again on the other side.
    assert second == [[], [[0, 1]], [], [[1, 0]]]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--seeds", "0"], 2, "at least one start is needed; got 0"),
        (["--part", "long"], 2, "long is a part of the real data; add --full"),
        (["--full", "--part", "imagenet"], 2, "invalid choice: 'imagenet'"),
        (["--help"], 0, "--part {mnist,cifar10,long}"),
    ],
)
def test_its_own_options_are_explained(
    options: list[str], code: int, said: str, script: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        script.main(options)
    assert caught.value.code == code
    assert said in "".join(capsys.readouterr())


def test_lenet5_is_the_published_one(script: ModuleType) -> None:
    # 1998, section II.B: C1 156, S2 12, C3 1,516, S4 32, C5 48,120, F6 10,164; then 84 * 10 + 10 linear outputs.
    model = sys.modules["cnn_recipes"].lenet5()
    unseen = sum(6 - len(seen) for seen in sys.modules["cnn_recipes"].C3_SEES) * 25
    assert model.num_parameters() - unseen == 156 + 12 + 1_516 + 32 + 48_120 + 10_164 + 850
    assert model(tt.zeros((2, 1, 28, 28))).shape == (2, 10)


def test_a_weight_that_c3_does_not_have_never_counts(script: ModuleType) -> None:
    recipes = sys.modules["cnn_recipes"]
    layer = recipes.PartlyConnected(recipes.C3_SEES, 5)
    x = tt.randn(1, 6, 6, 6)
    before = layer(x).detach().numpy().copy()
    layer(x).sum().backward()
    assert not layer.weight.grad.numpy()[0, 3:].any()
    assert layer.weight.grad.numpy()[0, :3].all()
    layer.weight.data[0, 3:] += 1.0
    np.testing.assert_array_equal(layer(x).detach().numpy(), before)


def test_without_matplotlib_the_picture_is_text(script: ModuleType) -> None:
    recipes, pictures = sys.modules["cnn_recipes"], sys.modules["cnn_pictures"]
    drawn = pictures.text(recipes.lenet5(side=8), tt.rand(1, 1, 8, 8), np.eye(10, dtype=np.int64))
    assert "the first filter" in drawn
    assert drawn.splitlines()[-1].split() == ["0"] * 9 + ["1"]


@pytest.mark.parametrize("part", ["mnist", "cifar10", "long"])
def test_full_trains_every_network_on_its_data(
    part: str, script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    side, channels = (28, 1) if part == "mnist" else (32, 3)
    rng = np.random.default_rng(0)
    images = rng.random((128, channels, side, side), np.float32)
    small = tt.data.TensorDataset(images, rng.integers(0, 10, 128), source="noise")
    monkeypatch.setattr(script, "load", lambda name: ("noise", small, {"test": small, "test, lossless": small}))
    recipes = script.FULL
    short = {name: type(recipe)(**{**vars(recipe), "epochs": 1}) for name, recipe in recipes.items()}
    monkeypatch.setattr(script, "FULL", short)
    assert script.main(["--full", "--part", part, "--out", str(tmp_path)]) == 1
    name = "noise-long" if part == "long" else "noise"
    result = json.loads((tmp_path / f"{NAME}-full-{name}.json").read_text())
    for network in script.PARTS[part]:
        assert set(result["metrics"][network]["accuracy"]) == {"test", "test, lossless"}
    gates = {gate["text"].split(",")[0] for gate in result["gates"]}
    assert gates == set(script.PARTS[part])


def test_the_jpeg_copy_is_named_and_the_lossless_images_are_beside_it(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = bytes([7]) + np.random.default_rng(0).integers(0, 255, 3072, np.uint8).tobytes()
    copy, original = tmp_path / "cifar10-jpeg", tmp_path / "cifar10"
    copy.mkdir()
    original.mkdir()
    for stem in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        (copy / f"{stem}.bin").write_bytes(record * 2)
    (original / "test_batch.first1000.bin").write_bytes(record * 3)
    monkeypatch.setenv("TINYTORCH_DATA", str(tmp_path))
    name, training, tests = script.load("cifar-modern")
    assert name == "cifar10-jpeg"
    assert training.source == "CIFAR-10, JPEG copy"
    assert {which: len(data) for which, data in tests.items()} == {"test": 2, "test, lossless": 3}
    np.testing.assert_allclose(tests["test"].x.numpy(), tests["test, lossless"].x.numpy()[:2], atol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_the_rivals_networks_compute_the_same(training: bool) -> None:
    torch = pytest.importorskip("torch")
    from tools.rivals.cnn import table
    from tools.rivals.cnn_layers import twin

    for name, recipe in table.FULL.items():
        ours = recipe.network().train(training)
        theirs = twin(ours).train(training)
        assert sum(each.numel() for each in theirs.parameters()) == ours.num_parameters(), name
        x = tt.randn(4, *((1, 28, 28) if name.startswith("mnist") else (3, 32, 32)))
        with tt.no_grad(), torch.no_grad():
            expected = ours(x).numpy()
            np.testing.assert_allclose(theirs(torch.from_numpy(x.numpy())).numpy(), expected, atol=1e-4, err_msg=name)
