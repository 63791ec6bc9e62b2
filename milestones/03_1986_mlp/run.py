"""Backpropagation: the hidden layer learns by itself what in 1969 a person had to set."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import tinytorch as tt
from tinytorch import milestone

if TYPE_CHECKING:
    from matplotlib.figure import Figure

XOR_SEEDS = 5
POINTS, XOR = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [[0.0], [1.0], [1.0], [0.0]]


def mlp(*widths: int, dropout: float = 0.0) -> tt.nn.Sequential:
    """Return linear layers of the given widths with ReLU, and dropout if wanted, between them."""
    model = tt.nn.Sequential(tt.nn.Flatten(), tt.nn.Linear(widths[0], widths[1]))
    for narrow, wide in pairwise(widths[1:]):
        model.append(tt.nn.ReLU())
        if dropout:
            model.append(tt.nn.Dropout(dropout))
        model.append(tt.nn.Linear(narrow, wide))
    return model


def solve_xor(seed: int, steps: int = 2000) -> int:
    """Train 2-8-1 on XOR's four rows, and return how many it gets right."""
    tt.manual_seed(seed)
    model = tt.nn.Sequential(tt.nn.Linear(2, 8), tt.nn.Tanh(), tt.nn.Linear(8, 1))
    optimizer = tt.optim.Adam(model.parameters(), lr=0.05)
    x, y = tt.Tensor(POINTS), tt.Tensor(XOR)
    for _ in range(steps):
        loss = tt.nn.functional.binary_cross_entropy_with_logits(model(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if loss.item() < 0.01:
            break
    with tt.no_grad():
        return int(((model(x) > 0).astype("float32") == y).sum().item())


def train(
    report: milestone.Report,
    model: tt.nn.Sequential,
    data: tuple[tt.data.TensorDataset, tt.data.TensorDataset],
    *,
    epochs: int,
    lr: float,
    batch_size: int = 128,
    weight_decay: float = 0.0,
    label_smoothing: float = 0.0,
    transform: tt.data.Transform | None = None,
) -> float:
    """Train with AdamW and one cycle of the learning rate; record loss and seconds; return the test accuracy."""
    training = tt.data.DataLoader(data[0], batch_size, shuffle=True, drop_last=True, transform=transform)
    test = tt.data.DataLoader(data[1], 1000)
    optimizer = tt.optim.AdamW(model.parameters(), lr=lr, weight_decay=weight_decay)
    trainer = tt.train.Trainer(
        model,
        tt.nn.CrossEntropyLoss(label_smoothing=label_smoothing),
        optimizer,
        tt.optim.OneCycle(optimizer, lr, total_steps=epochs * len(training)),
        metrics={"accuracy": tt.train.accuracy},
    )
    untrained = trainer.evaluate(test)["accuracy"]
    history = trainer.fit(training, epochs=epochs)
    seconds = sum(record["seconds"] for record in history.epochs)
    report.metric("training_seconds", round(seconds, 3))
    accuracy = trainer.evaluate(test)["accuracy"]
    losses = [float(record["loss"]) for record in history.epochs]
    report.metric("loss_by_epoch", losses)
    report.metric("untrained_accuracy", untrained)
    report.metric("test_accuracy", accuracy)
    report.metric("parameters", model.num_parameters())
    report.say(f"{model.num_parameters():,} parameters, {epochs} epochs, trained in {seconds:.1f} s")
    report.picture(lambda figure: draw(figure, losses, model), text=lambda: milestone.text_curves({"loss": losses}))
    return accuracy


def draw(figure: Figure, losses: list[float], model: tt.nn.Sequential) -> None:
    """Draw the loss of each epoch, and what the first hidden units look for where their inputs are a grey image."""
    first = next(layer for layer in model if isinstance(layer, tt.nn.Linear))
    side = round(first.weight.shape[0] ** 0.5)
    images = 16 if side * side == first.weight.shape[0] else 0
    axes = figure.subplots(1 + images // 8, max(1, images // 2), squeeze=False)
    grid = axes[0, 0].get_gridspec()
    for axis in axes[0]:
        axis.remove()
    curve = figure.add_subplot(grid[0, :])
    curve.plot(range(1, len(losses) + 1), losses)
    curve.set(xlabel="epoch", ylabel="training loss")
    for unit, axis in enumerate(axes[1:].flat):
        axis.imshow(first.weight.detach().numpy()[:, unit].reshape(side, side), cmap="RdBu")
        axis.set_axis_off()


def on_digits(report: milestone.Report) -> None:
    """Solve XOR from several starts, then read small handwritten digits."""
    solved = [solve_xor(seed) for seed in report.progress(range(report.seed, report.seed + XOR_SEEDS), "XOR")]
    report.metric("xor_rows_right_by_seed", solved)
    report.gate(f"XOR, the worst of {XOR_SEEDS} seeds: rows right of 4", min(solved), 4)
    tt.manual_seed(report.seed)
    report.uses("digits")
    accuracy = train(report, mlp(64, 64, 32, 10), (tt.data.digits("train"), tt.data.digits("test")), epochs=60, lr=0.01)
    report.gate("digits, test accuracy", accuracy, 0.96)


def on_mnist(report: milestone.Report) -> None:
    """Read MNIST's digits."""
    report.uses("mnist")
    data = tt.data.mnist("train"), tt.data.mnist("test")
    accuracy = train(report, mlp(784, 256, 128, 10, dropout=0.1), data, epochs=10, lr=4e-3, weight_decay=0.01)
    report.gate("MNIST, test accuracy", accuracy, 0.98)


def on_cifar10(report: milestone.Report) -> None:
    """Recognise CIFAR-10's ten classes without a convolution: as far as a plain net goes."""
    jpeg_copy = (tt.data.data_folder() / "cifar10-jpeg").is_dir()
    report.uses("cifar10-jpeg" if jpeg_copy else "cifar10")
    folder: Path | None = tt.data.data_folder() / "cifar10-jpeg" if jpeg_copy else None
    source = "CIFAR-10, JPEG copy" if jpeg_copy else None
    training = tt.data.cifar10("train", folder=folder, source=source)
    test = tt.data.cifar10("test", folder=folder, source=source)
    mean, std = ([float(channel.item()) for channel in of(axis=(0, 2, 3))] for of in (training.x.mean, training.x.std))
    normalize = tt.data.Normalize(mean, std)
    data = tt.data.TensorDataset(normalize(training.x), training.y), tt.data.TensorDataset(normalize(test.x), test.y)
    accuracy = train(
        report,
        mlp(3072, 512, 256, 10, dropout=0.1),
        data,
        epochs=20,
        lr=1.5e-3,
        weight_decay=0.05,
        label_smoothing=0.1,
        transform=tt.data.RandomHorizontalFlip(),
    )
    report.gate(f"{training.source}, test accuracy", accuracy, 0.527)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the milestone; return 0 if its gates hold."""
    report = milestone.start(__file__, "Multi-layer perceptron, 1986", argv)
    report.say("Rumelhart, Hinton and Williams: let the error flow back, and hidden units find their own features.")
    if not report.full:
        on_digits(report)
        return report.finish()
    on_mnist(report)
    missed = report.finish()
    report = report.next("cifar10")
    on_cifar10(report)
    return report.finish() or missed


if __name__ == "__main__":
    sys.exit(milestone.exit_code(main))
