"""What all optimizers share: groups, checks, the step, and saving."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import cast

import numpy as np
from tt_autograd import explain_missing
from tt_tensor import Array, Tensor, increment_version

from tt_optim._flat import CHUNK, FlatState
from tt_optim._saved import States, check_saved
from tt_optim._settings import Named, ParamGroup, Params, check_settings, named, plain


class Optimizer:
    """Moves parameters along their gradients.

    A subclass says which states it keeps (`state_names`) and what to subtract (`update`); all else is here. Parameters
    are changed in place, in the memory that they have.

    Args:
        params: Tensors, `(name, tensor)` pairs such as `model.named_parameters()` gives (then errors say the name), or
            dicts that each hold such `params` and settings of their own.
        defaults: The settings of a group that does not set them.

    Attributes:
        param_groups: One dict for each group: `params`, `names` and the settings, which may be changed between steps.

    Raises:
        ValueError: If there is no parameter, one is given twice, or a setting is out of its range.
        TypeError: If something is no floating-point tensor, or a group has a setting that the optimizer does not know.
    """

    def __init__(self, params: Params | Iterable[Mapping[str, object]], defaults: Mapping[str, object]) -> None:
        self.defaults = plain(defaults)
        self.param_groups: list[ParamGroup] = []
        self._flat: list[dict[np.dtype[np.generic], FlatState]] = []
        self._checked: dict[int, list[object]] = {}
        self._scratch: dict[np.dtype[np.generic], tuple[Array, Array]] = {}
        check_settings(self.defaults)
        given: object = params  # what cannot be walked is refused by `named`, in words
        if isinstance(given, Iterable) and not isinstance(given, Tensor):
            given = list(given)
        if isinstance(given, list) and given and all(isinstance(item, Mapping) for item in given):
            for group in given:
                self.add_param_group(group)
        else:
            self.add_param_group({"params": given})

    def add_param_group(self, group: Mapping[str, object]) -> None:
        """Add parameters with settings of their own.

        Args:
            group: `params`, and any of the optimizer's settings.

        Raises:
            ValueError: If it holds no parameter, one that is already here, or a setting out of its range.
            TypeError: If it holds something that is no floating-point tensor, or an unknown setting.
        """
        if "params" not in group:
            raise ValueError(f"a parameter group is a dict with 'params', but received the keys {sorted(group)}.")
        unknown = sorted(set(group) - {"params", *self.defaults})
        if unknown:
            raise TypeError(
                f"{type(self).__name__} has no setting {', '.join(unknown)}; it knows {', '.join(self.defaults)}."
            )
        pairs = named(group["params"], sum(len(existing["params"]) for existing in self.param_groups))
        self._check_new(pairs)
        settings = {**self.defaults, **plain({key: value for key, value in group.items() if key != "params"})}
        check_settings(settings)
        names, params = [name for name, _ in pairs], [parameter for _, parameter in pairs]
        self.param_groups.append(cast(ParamGroup, {"params": params, "names": names, **settings}))
        self._flat.append({})

    def _check_new(self, pairs: Sequence[Named]) -> None:
        if not pairs:
            raise ValueError(
                f"{type(self).__name__} received no parameters. A generator such as model.parameters() can be walked "
                "only once; and a layer kept outside a Module's attributes is not found."
            )
        seen = {id(parameter): name for name, parameter in self._named()}
        for name, parameter in pairs:
            if id(parameter) in seen:
                raise ValueError(f"{name} is given twice (before as {seen[id(parameter)]}): it would be moved twice.")
            if not np.issubdtype(parameter.dtype, np.floating):
                raise TypeError(f"{name} holds {parameter.dtype}: only floating-point tensors can be trained.")
            if not parameter.is_leaf:
                raise ValueError(f"{name} is the result of an operation, not a leaf: give the tensor it was made from.")
            seen[id(parameter)] = name

    def _named(self) -> Iterator[Named]:
        for group in self.param_groups:
            yield from zip(group["names"], group["params"], strict=True)

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    def step(self) -> None:
        """Move every trainable parameter by one step. Parameters with `requires_grad=False` stay as they are.

        Raises:
            ValueError: If a trainable parameter has no gradient (the message names it and, where that is known, the
                operation that cut it off), or a setting has been spoilt. Nothing has been moved.
        """
        work = [gather(group) for group in self.param_groups]
        if any(gradient is None for _, found in work for gradient in found):
            raise ValueError(self._explain())
        for group in self.param_groups:
            self._check_changed(group)
        for group, flats, (parameters, found) in zip(self.param_groups, self._flat, work, strict=True):
            gradients = [gradient for gradient in found if gradient is not None]
            for dtype in dict.fromkeys(parameter.dtype for parameter in parameters):
                chosen = [pair for pair in zip(parameters, gradients, strict=True) if pair[0].dtype == dtype]
                self._step_type(group, self._flat_of(flats, dtype), [p for p, _ in chosen], [g for _, g in chosen])

    def _check_changed(self, group: ParamGroup) -> None:
        """Check the settings of a group again, if somebody has changed one since the last step."""
        settings = cast("Mapping[str, object]", group)
        values = [settings[name] for name in self.defaults]
        if self._checked.get(id(group)) != values:
            check_settings(settings)
            self._checked[id(group)] = values

    def _step_type(self, group: ParamGroup, flat: FlatState, parameters: list[Tensor], gradients: list[Array]) -> None:
        def update(gradient: Array, states: Mapping[str, Array], out: Array, step: int) -> None:
            self.update(gradient, states, out, step, group)

        coupled, shrink = self.decay(group)
        flat.step(parameters, gradients, self.state_names(group), update, coupled=coupled, shrink=shrink)
        for parameter in parameters:
            increment_version(parameter)

    def _flat_of(self, flats: dict[np.dtype[np.generic], FlatState], dtype: np.dtype[np.generic]) -> FlatState:
        if dtype not in flats:
            # Half precision cannot hold a squared gradient: its states, like all arithmetic on it, are float32.
            kind = np.promote_types(dtype, np.float32)
            if kind not in self._scratch:
                self._scratch[kind] = (np.empty(CHUNK, kind), np.empty(CHUNK, kind))
            flats[dtype] = FlatState(kind, self._scratch[kind])
        return flats[dtype]

    def _explain(self) -> str:
        trainable = [(name, p) for name, p in self._named() if p.requires_grad]
        lost = [(name, p) for name, p in trainable if p.grad is None]
        if len(lost) == len(trainable):
            start = "no parameter has a gradient: call loss.backward() between zero_grad() and step()."
        else:
            start = "trainable parameters have no gradient, and nothing was moved:"
        lines = [start]
        for name, parameter in lost[:8]:
            reason = explain_missing(parameter)
            lines.append(f"  {name}: {reason or 'the loss does not depend on it.'}")
        if len(lost) > 8:
            lines.append(f"  and {len(lost) - 8} more")
        lines.append("Use it in the loss, or freeze it with requires_grad = False.")
        return "\n".join(lines)

    def state_names(self, group: ParamGroup) -> tuple[str, ...]:
        """Return the names of the states that each parameter of a group has. Written by each optimizer."""
        raise NotImplementedError(f"{type(self).__name__} does not say which states it keeps: write state_names().")

    def update(self, gradient: Array, states: Mapping[str, Array], out: Array, step: int, group: ParamGroup) -> None:
        """Write into `out` what to subtract from the parameters, and move the states on. Written by each optimizer.

        Args:
            gradient: The gradients of some parameters, end to end; not to be written to.
            states: By name the states of the same, to be changed in place.
            out: Where to write.
            step: How many steps this makes, the first is 1.
            group: The settings.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what to subtract: write update().")

    def decay(self, group: ParamGroup) -> tuple[float, float]:
        """Return how weights decay: the part of them added to the gradient, and the factor they are shrunk by."""
        return group.get("weight_decay", 0.0), 1.0

    def state_dict(self) -> dict[str, object]:
        """Return copies of the states and the settings: dicts and lists of arrays, numbers and strings.

        The parameters themselves are not in it: the model saves those.
        """
        groups = []
        state: dict[str, object] = {}
        number = 0
        for group, flats in zip(self.param_groups, self._flat, strict=True):
            settings = {key: value for key, value in group.items() if key != "params"}
            indices = list(range(number, number + len(group["params"])))
            groups.append({**settings, "names": list(group["names"]), "params": indices})
            for index, parameter in zip(indices, group["params"], strict=True):
                flat = flats.get(parameter.dtype)
                if flat is not None and id(parameter) in flat.places:
                    state[str(index)] = flat.read(parameter)
            number += len(indices)
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state: Mapping[str, object]) -> None:
        """Take over what `state_dict` returned, bit for bit; parameters correspond by their order.

        Args:
            state: The states and settings.

        Raises:
            ValueError: If it was saved for other groups or shapes; nothing has been changed.
        """
        groups, states = check_saved(state, self.param_groups, type(self).__name__)
        for group, settings in zip(self.param_groups, groups, strict=True):
            group.update(cast(ParamGroup, settings))
        self._restore(states)

    def _restore(self, states: States) -> None:
        """Make the states anew, of those of the parameters with these numbers."""
        self._flat = [{} for _ in self.param_groups]
        numbers = count()
        for group, flats in zip(self.param_groups, self._flat, strict=True):
            found: dict[np.dtype[np.generic], list[tuple[Tensor, int, Mapping[str, Array]]]] = {}
            for parameter, number in zip(group["params"], numbers, strict=False):
                if number in states:
                    found.setdefault(parameter.dtype, []).append((parameter, *states[number]))
            for dtype, entries in found.items():
                self._flat_of(flats, dtype).write(entries)

    def __getstate__(self) -> dict[str, object]:
        # A copy (or pickle) has other parameters, and the flat states know theirs by id: they are made anew.
        mine = {key: value for key, value in vars(self).items() if key not in ("_flat", "_checked", "_scratch")}
        return {**mine, "state": self.state_dict()}

    def __setstate__(self, mine: dict[str, object]) -> None:
        saved = cast("Mapping[str, object]", mine.pop("state"))
        vars(self).update(mine, _checked={}, _scratch={})
        self._restore(check_saved(saved, self.param_groups, type(self).__name__)[1])

    def __repr__(self) -> str:
        lines = [
            f"  {len(group['params'])} parameters: "
            + ", ".join(f"{key}={value}" for key, value in group.items() if key not in ("params", "names"))
            for group in self.param_groups
        ]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])


def gather(group: ParamGroup) -> tuple[list[Tensor], list[Array | None]]:
    """Return the trainable parameters of a group, and the gradient of each or None."""
    parameters: list[Tensor] = []
    gradients: list[Array | None] = []
    for parameter in group["params"]:
        if not parameter.requires_grad:
            continue
        gradient = parameter.grad
        parameters.append(parameter)
        gradients.append(None if gradient is None else gradient.data)
    return parameters, gradients
