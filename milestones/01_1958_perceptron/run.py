"""Rosenblatt's perceptron: one neuron, one rule, and a proof that it stops."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import tinytorch as tt
from tinytorch import milestone

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EPOCHS = 100
GAP = 0.4  # how far the classes stay away from the true line, on either side


def blank(features: int) -> tt.nn.Linear:
    """Return a neuron that knows nothing yet: zeros, and no gradient will ever be asked for."""
    neuron = tt.nn.Linear(features, 1)
    for parameter in neuron.parameters():
        parameter.assign_(0.0).requires_grad = False
    return neuron


def predict(neuron: tt.nn.Linear, x: tt.Tensor) -> tt.Tensor:
    """Return +1 or -1 for each row of `x` (N, features): which side of the line it lies on."""
    return tt.where(neuron(x) > 0, 1.0, -1.0).flatten()  # (N,)


def accuracy(neuron: tt.nn.Linear, x: tt.Tensor, y: tt.Tensor) -> float:
    """Return the share of rows on the right side."""
    return float((predict(neuron, x) == y).astype("float32").mean().item())


def correct(neuron: tt.nn.Linear, x: tt.Tensor, target: tt.Tensor) -> bool:
    """Apply Rosenblatt's rule to one example; return whether it was needed.

    A right answer changes nothing. A wrong one turns the line towards the example: w += y x, b += y.
    """
    assert neuron.bias is not None
    if float(predict(neuron, x).item()) == target.item():
        return False
    neuron.weight.assign_(neuron.weight + target * x.T)
    neuron.bias.assign_(neuron.bias + target)
    return True


def learn(
    report: milestone.Report, neuron: tt.nn.Linear, x: tt.Tensor, y: tt.Tensor, epochs: int
) -> tuple[int, list[int]]:
    """Go over the data until an epoch passes without a mistake; return all mistakes and those of each epoch."""
    rng = tt.default_rng()
    history: list[int] = []
    for _ in report.progress(range(epochs), "learning"):
        history.append(sum(correct(neuron, x[i : i + 1], y[i]) for i in map(int, rng.permutation(len(x)))))
        if history[-1] == 0:
            break
    return sum(history), history


def two_clouds(n: int = 200) -> tuple[tt.Tensor, tt.Tensor, float]:
    """Return points (N, 2) on both sides of a random line, labels +1 and -1, and Novikoff's bound on the mistakes.

    With ||(x, 1)|| <= R and a unit line that every point clears by g, the rule errs at most (R / g)^2 times.
    """
    rng = tt.default_rng()
    angle = rng.uniform(0, 6.28)
    line = tt.Tensor([tt.cos(tt.Tensor(angle)).item(), tt.sin(tt.Tensor(angle)).item()])
    points = tt.rand(20 * n, 2) * 4 - 2
    side = points @ line
    clear = points[tt.abs(side) > GAP][:n]
    radius = float(((clear**2).sum(axis=1) + 1).max().item())  # R^2
    return clear, tt.where(clear @ line > 0, 1.0, -1.0), radius / GAP**2


def zeros_and_ones(split: str) -> tuple[tt.Tensor, tt.Tensor]:
    """Return MNIST's zeros and ones as rows of pixels and labels -1 and +1."""
    data = tt.data.mnist("train" if split == "train" else "test")
    chosen = data.y < 2
    return data.x[chosen].flatten(1), data.y[chosen].astype("float32") * 2 - 1


def draw(figure: Figure, neuron: tt.nn.Linear, x: tt.Tensor, y: tt.Tensor, history: list[int]) -> None:
    """Draw the points with the line that was found, and the mistakes of each epoch."""
    left, right = figure.subplots(1, 2)
    assert neuron.bias is not None
    a, b, c = (float(number.item()) for number in (neuron.weight[0], neuron.weight[1], neuron.bias))
    for sign, colour in ((1, "tab:blue"), (-1, "tab:orange")):
        left.scatter(*x[y == sign].T.numpy(), s=12, color=colour, label=f"class {sign:+d}")
    ends = [-2.0, 2.0]
    steep = abs(a) > abs(b)
    other = [-((b if steep else a) * e + c) / (a if steep else b) for e in ends]
    left.plot(*((other, ends) if steep else (ends, other)), color="black", label="a x + b y + c = 0")
    left.set(xlim=(-2.1, 2.1), ylim=(-2.1, 2.1), title="The line it found")
    left.legend(loc="upper right")
    right.plot(range(1, len(history) + 1), history, marker="o")
    right.set(xlabel="epoch", ylabel="mistakes", title="Mistakes until none is left")


def on_clouds(report: milestone.Report) -> None:
    """Learn separable data to the last point, within the number of mistakes that the theorem allows."""
    x, y, bound = two_clouds()
    neuron = blank(2)
    mistakes, history = learn(report, neuron, x, y, EPOCHS)
    report.say(f"{len(x)} points, {len(history)} epochs, {mistakes} mistakes; Novikoff's bound allows {bound:.0f}.")
    report.metric("epochs", len(history))
    report.metric("mistakes", mistakes)
    report.gate("separable data is learnt to the last point", accuracy(neuron, x, y), 1.0)
    report.gate("in no more mistakes than the convergence theorem allows", mistakes, bound, at_most=True)
    marks = ["o" if sign > 0 else "x" for sign in y.tolist()]  # type: ignore[union-attr,operator]  # a vector
    report.picture(
        lambda figure: draw(figure, neuron, x, y, history),
        text=lambda: milestone.text_scatter(x.numpy(), marks),
    )


def on_mnist(report: milestone.Report) -> None:
    """Tell real zeros from real ones."""
    report.uses("mnist")
    x, y = zeros_and_ones("train")
    test_x, test_y = zeros_and_ones("test")
    neuron = blank(x.shape[1])
    _, history = learn(report, neuron, x, y, epochs=5)
    report.metric("mistakes_per_epoch", history)
    report.gate("MNIST's test zeros and ones", accuracy(neuron, test_x, test_y), 0.99)
    weights = neuron.weight.reshape(28, 28).numpy()
    report.picture(
        lambda figure: figure.subplots().imshow(weights, cmap="RdBu"), text=lambda: milestone.text_grid(weights)
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the milestone; return 0 if its gates hold."""
    report = milestone.start(__file__, "Perceptron, 1958", argv, data_set="two-clouds")
    report.say("One neuron and Rosenblatt's rule: change nothing when right, add the example when wrong.")
    (on_mnist if report.full else on_clouds)(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(milestone.exit_code(main))
