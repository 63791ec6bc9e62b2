"""Draw the recorded graph of a tensor: as text, as DOT for graphviz, or as an SVG picture that needs no other tool."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tt_tensor import Tensor

from tt_autograd._node import Node

_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 150, 40, 24, 44, 16
_LIMIT = 2000


@dataclass
class Box:
    """One thing to draw: an operation or a leaf, with what it was made from."""

    number: int
    label: str
    detail: str
    leaf: bool
    sources: list[int] = field(default_factory=list)
    depth: int = 0


def graph(tensor: Tensor, format: Literal["text", "dot", "svg"] = "text") -> str:
    """Draw how ``tensor``, of any shape, was computed, as far as backward would go.

    Args:
        tensor: The end of the graph, usually the loss. Draw before ``backward``, which frees the graph.
        format: ``"text"``, ``"dot"`` or ``"svg"``.

    Raises:
        ValueError: If the format is none of these, or the graph has more than 2,000 operations.

    Example:
        >>> from tt_tensor import Tensor
        >>> w = Tensor([1.0, 2.0], requires_grad=True)
        >>> print(graph((w * w).sum()))
        sum ()
          multiply (2,)
            leaf (2,)
            leaf (2,) (see above)
    """
    renderers = {"text": _text, "dot": _dot, "svg": _svg}
    if format not in renderers:
        raise ValueError(f"graph() knows the formats text, dot and svg, not {format!r}; pass one of these.")
    return renderers[format](_collect(tensor))


def _collect(tensor: Tensor) -> list[Box]:
    """Number every step and leaf, users before what they use: `sequence` grows with time, and leaves come last."""
    start = tensor.grad_fn if isinstance(tensor.grad_fn, Node) else tensor
    shapes: dict[Node | Tensor, tuple[int, ...]] = {start: tensor.shape}
    todo: list[Node | Tensor] = [start]
    while todo:
        for parent, shape in _sources(todo.pop()):
            if parent not in shapes:
                shapes[parent] = shape
                todo.append(parent)
        if len(shapes) > _LIMIT:
            raise ValueError(f"the graph has more than {_LIMIT:,} steps, too many to read; draw one layer of it.")
    ordered = sorted(shapes, key=lambda thing: -thing.sequence if isinstance(thing, Node) else 1)
    numbers = {thing: number for number, thing in enumerate(ordered)}
    boxes = []
    for thing, number in numbers.items():
        sources = [numbers[parent] for parent, _ in _sources(thing)]
        boxes.append(Box(number, _label(thing), str(shapes[thing]), isinstance(thing, Tensor), sources))
    return boxes


def _sources(thing: Node | Tensor) -> list[tuple[Node | Tensor, tuple[int, ...]]]:
    """Return what a step was made from, with shapes; nothing for a leaf, or after backward has freed the step."""
    if isinstance(thing, Tensor) or thing.saved is None:
        return []
    return [(p, kept.shape) for p, kept in zip(thing.parents, thing.saved, strict=True) if p is not None]


def _label(thing: Node | Tensor) -> str:
    if isinstance(thing, Node):
        return thing.name if thing.saved is not None else f"{thing.name} (freed)"
    return "leaf" if type(thing) is Tensor else type(thing).__name__.lower()


def _text(boxes: list[Box]) -> str:
    lines: list[str] = []
    seen: set[int] = set()
    todo = [(boxes[0].number, 0)]
    while todo:
        number, indent = todo.pop()
        box = boxes[number]
        again = " (see above)" if number in seen else ""
        lines.append(f"{'  ' * indent}{box.label} {box.detail}{again}")
        if number not in seen:
            seen.add(number)
            todo.extend((source, indent + 1) for source in reversed(box.sources))
    return "\n".join(lines)


def _dot(boxes: list[Box]) -> str:
    lines = ["digraph {", "  rankdir=TB;", "  node [fontname=sans, fontsize=11];"]
    for box in boxes:
        text = f"{_quote(box.label)}\\n{_quote(box.detail)}"
        lines.append(f'  n{box.number} [label="{text}", shape={"ellipse" if box.leaf else "box"}];')
    lines.extend(f"  n{source} -> n{box.number};" for box in boxes for source in box.sources)
    return "\n".join([*lines, "}"])


def _quote(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _set_depths(boxes: list[Box]) -> None:
    """Operations below all they use; a leaf just above its first user. `boxes` stand users first."""
    for box in reversed(boxes):
        box.depth = 1 + max((boxes[source].depth for source in box.sources), default=-1)
    first_use: dict[int, int] = {}
    for box in boxes:
        for source in box.sources:
            first_use[source] = min(first_use.get(source, box.depth), box.depth)
    for box in boxes:
        if box.leaf and box.number in first_use:
            box.depth = first_use[box.number] - 1


def _positions(boxes: list[Box]) -> dict[int, tuple[float, float]]:
    """Place each box: rows by depth, and in a row from left to right as its sources stand."""
    _set_depths(boxes)
    rows: dict[int, list[Box]] = {}
    for box in boxes:
        rows.setdefault(box.depth, []).append(box)
    width = max(len(row) for row in rows.values()) * (_WIDTH + _GAP_X)
    at: dict[int, tuple[float, float]] = {}
    for depth in sorted(rows):
        row = rows[depth]
        row.sort(key=lambda box: sum(at[s][0] for s in box.sources) / len(box.sources) if box.sources else 0.0)
        left = _MARGIN + (width - len(row) * (_WIDTH + _GAP_X)) / 2
        for i, box in enumerate(row):
            at[box.number] = (left + i * (_WIDTH + _GAP_X), _MARGIN + depth * (_HEIGHT + _GAP_Y))
    return at


def _svg(boxes: list[Box]) -> str:
    at = _positions(boxes)
    width = max(x for x, _ in at.values()) + _WIDTH + _MARGIN
    height = max(y for _, y in at.values()) + _HEIGHT + _MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="sans-serif" text-anchor="middle">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    lines.extend(_svg_edge(at[source], at[box.number]) for box in boxes for source in box.sources)
    lines.extend(_svg_box(box, *at[box.number]) for box in boxes)
    return "\n".join([*lines, "</svg>"])


def _svg_edge(start: tuple[float, float], end: tuple[float, float]) -> str:
    x1, y1, x2, y2 = start[0] + _WIDTH / 2, start[1] + _HEIGHT, end[0] + _WIDTH / 2, end[1]
    bend = (y2 - y1) / 2
    curve = f"M{x1:.1f} {y1:.1f}C{x1:.1f} {y1 + bend:.1f} {x2:.1f} {y2 - bend:.1f} {x2:.1f} {y2:.1f}"
    return f'<path d="{curve}" fill="none" stroke="#8a94a6" stroke-width="1.5"/>'


def _svg_box(box: Box, x: float, y: float) -> str:
    from html import escape  # its tables take a millisecond to import, which only pictures should pay

    fill, round_ = ("#e3f1e3", _HEIGHT / 2) if box.leaf else ("#e6ecf7", 5)
    middle = x + _WIDTH / 2
    return (
        f'<g><rect x="{x:.1f}" y="{y:.1f}" width="{_WIDTH}" height="{_HEIGHT}" rx="{round_:g}" fill="{fill}" '
        f'stroke="#44506a"/>'
        f'<text x="{middle:.1f}" y="{y + 17:.1f}" font-size="13">{escape(_short(box.label))}</text>'
        f'<text x="{middle:.1f}" y="{y + 32:.1f}" font-size="10" fill="#44506a">{escape(_short(box.detail, 26))}</text>'
        "</g>"
    )


def _short(text: str, longest: int = 20) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
