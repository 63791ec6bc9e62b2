"""XOR: what no single layer can do, and two layers do at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import tinytorch as tt
from tinytorch import milestone

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEDS = 10
EPOCHS = 200
POINTS = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
XOR = [0.0, 1.0, 1.0, 0.0]


def step(x: tt.Tensor) -> tt.Tensor:
    """Return 1 where x > 0, else 0: the neuron of 1943."""
    return (x > 0).astype("float32")


def accuracy(outputs: tt.Tensor) -> float:
    """Return the share of XOR's four rows that a net's outputs (4, 1) get right."""
    return float((outputs.flatten() == tt.Tensor(XOR)).astype("float32").mean().item())


def without_gradients(inputs: int, outputs: int) -> tt.nn.Linear:
    """Return a layer whose weights nobody will ask a gradient of: 1969 knew none."""
    layer = tt.nn.Linear(inputs, outputs)
    for parameter in layer.parameters():
        parameter.requires_grad = False
    return layer


def best_of_one_layer(seed: int) -> float:
    """Train one neuron by Rosenblatt's rule on all four rows, and return the best accuracy it ever showed."""
    tt.manual_seed(seed)
    neuron = without_gradients(2, 1)
    assert neuron.bias is not None
    x, y = tt.Tensor(POINTS), tt.Tensor(XOR)
    best = 0.0
    for _ in range(EPOCHS):
        for i in map(int, tt.default_rng().permutation(4)):
            error = y[i] - step(neuron(x[i : i + 1])).flatten()  # (1,): -1, 0 or 1
            neuron.weight.assign_(neuron.weight + 0.1 * error * x[i : i + 1].T)
            neuron.bias.assign_(neuron.bias + 0.1 * error)
            best = max(best, accuracy(step(neuron(x))))
    return best


def set_by_hand() -> tuple[tt.nn.Linear, tt.nn.Linear]:
    """Return two layers set by hand: "at least one" and "both", then "the first, but not the second"."""
    hidden, output = without_gradients(2, 2), without_gradients(2, 1)
    assert hidden.bias is not None
    assert output.bias is not None
    hidden.weight.assign_([[1.0, 1.0], [1.0, 1.0]])
    hidden.bias.assign_([-0.5, -1.5])
    output.weight.assign_([[1.0], [-1.0]])
    output.bias.assign_([-0.5])
    return hidden, output


def draw(figure: Figure, hidden: tt.nn.Linear, output: tt.nn.Linear) -> None:
    """Draw what the two layers say over the whole plane, and the hidden units' view, in which one line suffices."""
    left, right = figure.subplots(1, 2)
    line = tt.linspace(-0.5, 1.5, 101)
    plane = tt.stack([tt.tile(line, (101,)), tt.repeat(line, 101)], axis=1)  # (101 * 101, 2)
    answer = step(output(step(hidden(plane)))).reshape(101, 101).numpy()
    seen = step(hidden(tt.Tensor(POINTS))).numpy()
    left.imshow(answer, origin="lower", extent=(-0.5, 1.5, -0.5, 1.5), cmap="coolwarm", alpha=0.5)
    left.set(title="Inputs: no single line parts them", xlabel="a", ylabel="b")
    right.set(title="Hidden units: one line does", xlabel="a or b", ylabel="a and b")
    for (a, b), (c, d), y in zip(POINTS, seen, XOR, strict=True):
        colour = "tab:red" if y else "tab:blue"
        left.scatter([a], [b], color=colour, s=80, edgecolors="black")
        right.scatter([c], [d], color=colour, s=80, edgecolors="black")
    right.plot([0.25, 1.25], [-0.25, 0.75], color="black")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the milestone; return 0 if its gates hold."""
    report = milestone.start(__file__, "XOR, 1969", argv, data_set="xor")
    report.say("Minsky and Papert: no weights let one layer compute XOR. Trying anyway.")
    seeds = range(report.seed, report.seed + SEEDS)
    best = [best_of_one_layer(seed) for seed in report.progress(seeds, "one layer")]
    report.metric("best_accuracy_of_one_layer_by_seed", best)
    report.gate(f"one layer, the best of {SEEDS} seeds at any time", max(best), 0.75, at_most=True)
    report.gate("one layer learns what a line can part: three of four", min(best), 0.75)

    hidden, output = set_by_hand()
    answers = step(output(step(hidden(tt.Tensor(POINTS)))))
    for (a, b), answer in zip(POINTS, answers.flatten().tolist(), strict=True):  # type: ignore[arg-type]  # a vector
        report.say(f"  {a:.0f} xor {b:.0f} = {answer:.0f}")
    report.gate("two layers, weights set by hand", accuracy(answers), 1.0)
    report.picture(
        lambda figure: draw(figure, hidden, output),
        text=lambda: milestone.text_scatter(POINTS, ["#" if y else "o" for y in XOR], width=20, height=7),
    )
    return report.finish()


if __name__ == "__main__":
    sys.exit(milestone.exit_code(main))
