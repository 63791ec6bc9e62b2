"""A model as a table of text, and what a run through it costs."""

from __future__ import annotations

from typing import NamedTuple

from tt_tensor import Tensor

from tt_layers._module import Module, observe_calls


class LayerCost(NamedTuple):
    """What one module costs, as measured.

    Attributes:
        name: The dotted name; "" is the whole model.
        kind: The class.
        parameters: Numbers in its parameters, those of modules below included.
        parameter_bytes: The bytes these occupy.
        output_shape: The shape of what it returned (the first tensor of several), or None if it was not called.
        activation_bytes: The bytes of all it returned (a module that is called twice returns twice), 0 if it was not
            called or if it gave its input back.
    """

    name: str
    kind: str
    parameters: int
    parameter_bytes: int
    output_shape: tuple[int, ...] | None
    activation_bytes: int


def measure(model: Module, example: Tensor | None) -> list[LayerCost]:
    """Return the costs of every module, the model itself first; without an example no output is known."""
    shapes: dict[int, tuple[int, ...]] = {}
    sizes: dict[int, int] = {}

    def observe(module: Module, inputs: tuple[object, ...], output: object) -> None:
        several = output if isinstance(output, (list, tuple)) else [output]
        tensors = [one for one in several if isinstance(one, Tensor)]
        if tensors:
            shapes[id(module)] = tensors[0].shape
        made = sum(one.nbytes for one in tensors if not any(one is given for given in inputs))
        sizes[id(module)] = sizes.get(id(module), 0) + made

    if example is not None:
        with observe_calls(observe):
            model(example)
    return [
        LayerCost(
            name,
            type(module).__name__,
            module.num_parameters(),
            sum(parameter.nbytes for parameter in module.parameters()),
            shapes.get(id(module)),
            sizes.get(id(module), 0),
        )
        for name, module in model.named_modules()
    ]


def summary(model: Module, example: Tensor | None) -> str:
    """Return the table that `Module.summary` offers."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()  # looking changes nothing: no running mean moves, no random number is drawn
    try:
        costs = measure(model, example)
    finally:
        for module, mode in modes:
            module.training = mode
    rows = [["module", "kind", "output", "parameters", "bytes"]]
    for cost in costs[1:] or costs:
        shape = "" if cost.output_shape is None else str(cost.output_shape)
        rows.append([cost.name or "-", cost.kind, shape, f"{cost.parameters:,}", f"{cost.parameter_bytes:,}"])
    rows.append(["total", costs[0].kind, "", f"{costs[0].parameters:,}", f"{costs[0].parameter_bytes:,}"])
    columns = [0, 1, 2, 3, 4] if example is not None else [0, 1, 3, 4]
    widths = {column: max(len(row[column]) for row in rows) for column in columns}
    lines = [
        "  ".join(row[c].rjust(widths[c]) if c >= 3 else row[c].ljust(widths[c]) for c in columns).rstrip()
        for row in rows
    ]
    rule = "-" * max(len(line) for line in lines)
    buffers = sum(buffer.nbytes for buffer in model.buffers())
    frozen = model.num_parameters() - model.num_parameters(trainable_only=True)
    notes = [f"frozen parameters: {frozen:,}"] * bool(frozen) + [f"bytes of buffers: {buffers:,}"] * bool(buffers)
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1], *notes])
