"""What the script shows: the first layer's filters, what they find in an image, and which classes are confused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tinytorch as tt
from tinytorch import milestone

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FILTERS = 8


def first_filters(model: tt.nn.Sequential) -> list[tt.Tensor]:
    """Return some filters of the first layer, each a grey image: the mean over its channels."""
    first = model[0]
    if not isinstance(first, tt.nn.Conv2d):
        raise TypeError(f"the pictures want a network that begins with a convolution, but got {first!r}")
    return list(first.weight.detach().mean(axis=1)[:FILTERS])


def feature_maps(model: tt.nn.Sequential, image: tt.Tensor) -> list[tt.Tensor]:
    """Return what each of these filters finds in an image (1, C, H, W)."""
    with tt.no_grad():
        return list(model[0](image)[0][:FILTERS])


def draw(figure: Figure, model: tt.nn.Sequential, image: tt.Tensor, confusion: tt.Array) -> None:
    """Draw filters in the first row, their maps of the image in the second, the confusion matrix below."""
    parts = figure.subfigures(2, 1, squeeze=False, height_ratios=(1, 1.3))
    above, below = parts[0, 0], parts[1, 0]
    axes = above.subplots(2, FILTERS + 1)
    axes[0, 0].imshow(image[0].mean(axis=0).numpy(), cmap="gray")
    axes[1, 0].set_visible(False)
    for row, pictures in enumerate((first_filters(model), feature_maps(model, image))):
        for axis, picture in zip(axes[row, 1:], pictures, strict=False):
            axis.imshow(picture.numpy(), cmap="RdBu")
    for axis in axes.flat:
        axis.set_axis_off()
    axis = below.subplots()
    axis.imshow(confusion, cmap="Blues")
    axis.set(xlabel="taken for", ylabel="is", xticks=range(len(confusion)), yticks=range(len(confusion)))
    for row, counts in enumerate(confusion):
        for column, count in enumerate(counts):
            if count:
                colour = "white" if count > confusion.max() / 2 else "black"
                axis.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=6)


def text(model: tt.nn.Sequential, image: tt.Tensor, confusion: tt.Array) -> str:
    """Return the image, one filter and its map in shades, and the confusion matrix in numbers."""
    shown = (
        ("an image", image[0].mean(axis=0)),
        ("the first filter", first_filters(model)[0]),
        ("what it finds there", feature_maps(model, image)[0]),
    )
    parts = [f"{name}\n{milestone.text_grid(picture.numpy())}" for name, picture in shown]
    rows = ["".join(f"{count:6d}" for count in counts) for counts in confusion]
    return "\n\n".join([*parts, "\n".join(["confusion: what it is (rows), what it was taken for (columns)", *rows])])
