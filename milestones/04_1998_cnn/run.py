"""Convolution: what a filter learns in one place of an image, it knows everywhere."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import cnn_pictures
import tinytorch as tt
from cnn_recipes import DIGITS, FULL, Recipe, load, moved, normalized, shuffled
from tinytorch import milestone

# What must hold on the real data: accuracy on the test set, and seconds of training on two cores.
BARS = {
    "mnist-lenet1": (0.98, None),
    "mnist-lenet5": (0.99, None),
    "cifar-lenet1": (0.394, None),
    "cifar-lenet5": (0.475, None),
    "cifar-modern": (0.75, 300),
    "cifar-long": (0.82, 1200),
}
# One result each: an interrupted run keeps what it has.
PARTS = {
    "mnist": ["mnist-lenet1", "mnist-lenet5"],
    "cifar10": ["cifar-lenet1", "cifar-lenet5", "cifar-modern"],
    "long": ["cifar-long"],
}


def fit(
    recipe: Recipe, training: tt.data.TensorDataset, tests: dict[str, tt.data.TensorDataset]
) -> tuple[tt.nn.Sequential, dict[str, object], dict[str, float]]:
    """Train a fresh network; return it, what was measured, and its accuracy on each test set."""
    model = recipe.network()
    batches = recipe.loader(training)
    trainer = recipe.trainer(model, recipe.epochs * len(batches))
    loaders = {name: tt.data.DataLoader(data, 500) for name, data in tests.items()}
    untrained = trainer.evaluate(loaders["test"])["accuracy"]
    history = trainer.fit(batches, epochs=recipe.epochs)
    accuracies = {name: trainer.evaluate(loader)["accuracy"] for name, loader in loaders.items()}
    measured: dict[str, object] = {
        "accuracy": accuracies,
        "untrained_accuracy": untrained,
        "parameters": model.num_parameters(),
        "training_seconds": round(sum(float(record["seconds"]) for record in history.epochs), 3),
        "loss_by_epoch": [float(record["loss"]) for record in history.epochs],
    }
    return model, measured, accuracies


def show(report: milestone.Report, model: tt.nn.Sequential, test: tt.data.TensorDataset) -> None:
    """Draw the filters, what they find in the first test image, and the confusion matrix, which the result keeps."""
    model.eval()
    with tt.no_grad():
        outputs = tt.concat([model(batch.x) for batch in tt.data.DataLoader(test, 500)])
    confusion = tt.train.confusion_matrix(outputs, test.y)
    report.metric("confusion", confusion.tolist())
    report.picture(
        lambda figure: cnn_pictures.draw(figure, model, test.x[:1], confusion),
        text=lambda: cnn_pictures.text(model, test.x[:1], confusion),
    )


def on_digits(report: milestone.Report, seeds: int) -> None:
    """Read digits from several starts, beside milestone 03's net; then move the images, and shuffle the pixels."""
    raw = tt.data.digits("test")
    training, test, shifted = normalized(tt.data.digits("train"), raw, moved(raw))
    report.uses("digits")
    order = tt.default_rng().permutation(64)
    found: dict[str, list[float]] = {}
    for seed in report.progress(range(report.seed, report.seed + seeds), "seeds"):
        for name, recipe in DIGITS.items():
            tt.manual_seed(seed)
            model, measured, accuracies = fit(recipe, training, {"test": test, "moved": shifted})
            report.metric(f"{name}, seed {seed}", measured)
            found.setdefault(name, []).append(accuracies["test"])
            found.setdefault(f"{name}, moved", []).append(accuracies["moved"])
        for name in ("MLP", "modern"):
            tt.manual_seed(seed)
            _, measured, accuracies = fit(DIGITS[name], shuffled(training, order), {"test": shuffled(test, order)})
            report.metric(f"{name}, shuffled, seed {seed}", measured)
            found.setdefault(f"{name}, shuffled", []).append(accuracies["test"])
    report.metric("accuracies", found)
    show(report, model, test)
    for name in sorted(found):
        count = len(shifted if name.endswith("moved") else test)
        report.say(f"{name:>16}: {', '.join(f'{value:.2%}' for value in found[name])} of {count:,} test digits")
    mean = {name: sum(values) / seeds for name, values in found.items()}
    lead = {how: mean[f"modern{how}"] - mean[f"MLP{how}"] for how in ("", ", shuffled")}
    report.metric("lead_of_modern", lead)
    report.say(
        f"ahead of the MLP: {lead['']:.2%}; without knowing which pixels are neighbours {lead[', shuffled']:.2%}"
    )
    for name, least in (("LeNet-5", 0.03), ("modern", 0.1)):
        report.gate(f"digits, {name}, test accuracy, the worst of {seeds} seeds", min(found[name]), 0.98)
        ahead = mean[name] - mean["MLP"]
        report.gate(f"digits, {name} ahead of the MLP of milestone 03, mean of {seeds} seeds", ahead, 0.001)
        ahead = mean[f"{name}, moved"] - mean["MLP, moved"]
        report.gate(f"digits moved by a pixel, {name} ahead of the MLP, mean of {seeds} seeds", ahead, least)


def on_real_data(report: milestone.Report, part: str) -> None:
    """Train a part's networks on MNIST or CIFAR-10."""
    source, training, tests = load(PARTS[part][0])
    report.uses(f"{source}-long" if part == "long" else source)
    report.metric("sources", {name: data.source for name, data in tests.items()})
    for name in PARTS[part]:
        recipe, (accuracy, most_seconds) = FULL[name], BARS[name]
        report.say(f"{name}: {recipe.epochs} epochs of {training.source}")
        tt.manual_seed(report.seed)
        model, measured, accuracies = fit(recipe, training, tests)
        seconds = measured["training_seconds"]
        assert isinstance(seconds, float)
        report.metric(name, measured)
        before = f"{measured['untrained_accuracy']:.1%}"
        report.say(f"{measured['parameters']:,} parameters, {seconds:.1f} s of training; before it {before} were right")
        for which, value in accuracies.items():
            report.say(f"{value:.2%} of {len(tests[which]):,} images of {tests[which].source} ({which})")
        report.gate(f"{name}, {tests['test'].source}, test accuracy", accuracies["test"], accuracy)
        if most_seconds is not None:
            report.gate(f"{name}, seconds of training", seconds, most_seconds, at_most=True)
    show(report, model, tests["test"])


def arguments(argv: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Read the options that no other milestone has; return them, and what is left for `milestone.start`."""
    # --seed is not short for --seeds.
    own = argparse.ArgumentParser(prog="run.py", usage=argparse.SUPPRESS, add_help=False, allow_abbrev=False)
    own.add_argument("--seeds", type=int, default=3, metavar="N", help="on digits: from how many starts (default: 3)")
    own.add_argument("--part", choices=PARTS, action="append", help="under --full: only this part; may be repeated")
    options, others = own.parse_known_args(argv)
    if options.seeds < 1:
        own.error(f"argument --seeds: at least one start is needed; got {options.seeds}")
    if options.part and "--full" not in others:
        own.error(f"argument --part: {options.part[0]} is a part of the real data; add --full")
    if {"-h", "--help"} & set(others):
        print(own.format_help())  # the usual ones follow
    return options, others


def main(argv: Sequence[str] | None = None) -> int:
    """Run the milestone; return 0 if its gates hold."""
    options, others = arguments(sys.argv[1:] if argv is None else argv)
    report = milestone.start(__file__, "Convolutional network, 1998", others)
    report.say("LeCun, Bottou, Bengio and Haffner: look everywhere with the same few filters.")
    if not report.full:
        on_digits(report, options.seeds)
        return report.finish()
    missed = 0
    for number, part in enumerate(options.part or PARTS):
        report = report.next(part) if number else report
        on_real_data(report, part)
        missed |= report.finish()
    return missed


if __name__ == "__main__":
    sys.exit(milestone.exit_code(main))
