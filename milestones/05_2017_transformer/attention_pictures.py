"""What the milestone draws: where heads look while they reverse a sequence, and how the losses fell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sequences
import tinytorch as tt
from tinytorch import milestone

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Losses = dict[str, list[float]]


def attention(learnt: sequences.Learnt) -> list[tt.Array]:
    """Return what every head looks at while the model writes one reversed sequence: maps (T, T), layer by layer."""
    row = sequences.rows(("reversal",), 1)
    with tt.no_grad(), tt.nn.record_attention(learnt.model) as maps:
        learnt.model(tt.Tensor(row[:, :-1]))
    return [head for calls in maps.values() for head in calls[0][0]]


def show(report: milestone.Report, learnt: dict[str, sequences.Learnt], losses: Losses) -> None:
    """Draw the attention maps of the model that reverses, if there is one, and the losses."""
    maps = attention(learnt["reversal"]) if learnt else []
    tasks = {task: run.losses for task, run in learnt.items()}

    def as_text() -> str:
        parts = [f"head {number}\n{milestone.text_grid(head)}" for number, head in enumerate(maps)]
        if tasks:
            parts.append(milestone.text_curves(tasks))
        return "\n\n".join([*parts, milestone.text_curves({"training": losses["training"]})])

    report.picture(lambda figure: draw(figure, maps, tasks, losses), text=as_text)


def draw(figure: Figure, maps: list[tt.Array], tasks: Losses, losses: Losses) -> None:
    """Draw the maps above, the losses below."""
    *above, below = figure.subfigures(2 if maps else 1, 1, squeeze=False, height_ratios=[3, 2] if maps else None)[:, 0]
    if maps:
        above[0].suptitle("reversal: what each head looks at (row: the place that looks), in the answer below the line")
        for number, (head, axis) in enumerate(zip(maps, above[0].subplots(2, len(maps) // 2).flat, strict=True)):
            axis.imshow(head, cmap="viridis", vmin=0, vmax=1)
            axis.axhline(sequences.PROMPT - 1.5, color="white", linewidth=0.7)
            axis.set(xticks=[], yticks=[], title=f"block {1 + number * 2 // len(maps)}")
    axes = below.subplots(1, 2 if tasks else 1, squeeze=False)[0]
    for task, curve in tasks.items():
        axes[0].plot(curve, label=task)
    steps = len(losses["training"])
    axes[-1].plot(losses["training"], label="training", linewidth=0.6)
    places = [steps * number // (len(losses["held out"]) - 1) for number in range(len(losses["held out"]))]
    axes[-1].plot(places, losses["held out"], "o-", label="held out")
    axes[-1].axhline(losses["bigram"][0], color="grey", linestyle="--", label="bigram, held out")
    for axis in axes:
        axis.set(xlabel="step", ylabel="loss")
        axis.legend(fontsize="small")
