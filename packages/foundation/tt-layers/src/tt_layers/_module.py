"""`Module`: a thing with parameters, and the walk that finds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from reprlib import recursive_repr
from typing import TYPE_CHECKING, ClassVar, Self, TypeAlias

from tt_tensor import Array, Tensor, increment_version

from tt_layers._parameter import Buffer, Parameter
from tt_layers._state import LoadReport, check_state

Observer: TypeAlias = "Callable[[Module, tuple[object, ...], Tensor], None]"
Found: TypeAlias = "Module | Parameter | Buffer"
_observers: ContextVar[tuple[Observer, ...]] = ContextVar("tt_layers_observers", default=())


def _unimplemented(self: Module, *inputs: object, **settings: object) -> Tensor:
    """Stand where a subclass puts its computation."""
    raise NotImplementedError(f"{type(self).__name__} has no forward(): write `def forward(self, x): ...` in it.")


class Module:
    """Something that computes with parameters: a layer, a block, a whole network.

    A subclass sets its parts as ordinary attributes and writes `forward`. Parameters, buffers and modules are found by
    walking the attributes, through lists, tuples and dicts as well; one that is reached twice counts once, under the
    first of its names. There is nothing to register, and `super().__init__()` need not be called.

    Attributes:
        training: True while training; `eval()` clears it. Dropout looks at it.
        parallel_batches: What a class says of a batch cut in two, each part on a thread of its own. True: its examples
            are computed alone and the cut pays (a transformer). False: its examples meet (batch norm). None: nothing.

    Example:
        >>> class Scale(Module):
        ...     def __init__(self) -> None:
        ...         self.factor = Parameter([2.0])
        ...     def forward(self, x: Tensor) -> Tensor:
        ...         return x * self.factor
        >>> model = Scale()
        >>> [name for name, _ in model.named_parameters()], model(Tensor([3.0])).tolist()
        (['factor'], [6.0])
    """

    training: bool = True
    parallel_batches: ClassVar[bool | None] = None
    forward: Callable[..., Tensor] = _unimplemented

    if not TYPE_CHECKING:  # a type checker would read it as leave to set any name

        def __setattr__(self, name: str, value: object) -> None:
            if isinstance(value, Tensor) and not isinstance(value, (Parameter, Buffer)):
                refuse_plain(self, name)
            super().__setattr__(name, value)

    def __call__(self, *inputs: object, **settings: object) -> Tensor:
        """Run `forward`, and tell whoever observes (see `observe_calls`)."""
        output = self.forward(*inputs, **settings)
        for observer in _observers.get():
            observer(self, inputs, output)
        return output

    def members(self) -> Iterator[tuple[str, object]]:
        """Yield what the walk looks at, with the name each gets: the attributes, in the order they were first set.

        A container may override it to give its parts shorter names.
        """
        yield from vars(self).items()

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """Yield every module with its dotted name, this one first under the name "".

        Example:
            >>> [name for name, _ in Module().named_modules()]
            ['']
        """
        for name, found in walk(self):
            if isinstance(found, Module):
                yield name, found

    def modules(self) -> Iterator[Module]:
        """Yield every module, this one first."""
        for _, module in self.named_modules():
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the modules directly below this one, with their names."""
        inside: set[int] = set()
        for name, module in self.named_modules():
            if module is self or id(module) in inside:
                continue
            inside.update(id(below) for below in module.modules())
            yield name, module

    def children(self) -> Iterator[Module]:
        """Yield the modules directly below this one."""
        for _, module in self.named_children():
            yield module

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Yield every parameter with its dotted name, a shared one once."""
        for name, found in walk(self):
            if isinstance(found, Parameter):
                yield name, found

    def parameters(self) -> Iterator[Parameter]:
        """Yield every parameter, a shared one once."""
        for _, parameter in self.named_parameters():
            yield parameter

    def named_buffers(self) -> Iterator[tuple[str, Buffer]]:
        """Yield every buffer with its dotted name."""
        for name, found in walk(self):
            if isinstance(found, Buffer):
                yield name, found

    def buffers(self) -> Iterator[Buffer]:
        """Yield every buffer."""
        for _, buffer in self.named_buffers():
            yield buffer

    def _saved(self) -> dict[str, Tensor]:
        saved: dict[str, Tensor] = {}
        for name, found in walk(self):
            if isinstance(found, Module) or (isinstance(found, Buffer) and not found.persistent):
                continue
            if name in saved:
                raise ValueError(f"two tensors of {type(self).__name__} have the name {name!r}: rename a dict's key.")
            saved[name] = found
        return saved

    def state_dict(self) -> dict[str, Array]:
        """Return copies of all parameters and persistent buffers by name.

        Example:
            >>> Module().state_dict()
            {}
        """
        return {name: tensor.data.copy() for name, tensor in self._saved().items()}

    def load_state_dict(self, state: Mapping[str, Tensor | Array], strict: bool = True) -> LoadReport:
        """Copy values into the parameters and buffers, in place.

        Args:
            state: Arrays or tensors by name, as `state_dict` returns them.
            strict: False passes over names that only one side has.

        Returns:
            The names that were missing and unexpected (both empty when strict).

        Raises:
            ValueError: If the state does not fit; the message lists every problem, and nothing has been changed.
        """
        owned = self._saved()
        values, report = check_state(owned, state, strict)
        for name, value in values.items():
            owned[name].data[...] = value
            increment_version(owned[name])
        return report

    def train(self, mode: bool = True) -> Self:
        """Set `training` here and in every module below.

        Example:
            >>> Module().train().training
            True
        """
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Clear `training` here and in every module below.

        Example:
            >>> Module().eval().training
            False
        """
        return self.train(False)

    def requires_grad_(self, flag: bool = True) -> Self:
        """Let every parameter be trained, or freeze them all."""
        for parameter in self.parameters():
            parameter.requires_grad = flag
        return self

    def zero_grad(self) -> None:
        """Forget the gradient of every parameter."""
        for parameter in self.parameters():
            parameter.grad = None

    def apply(self, function: Callable[[Module], object]) -> Self:
        """Call a function with every module below, then with this one.

        Example:
            >>> seen = []
            >>> _ = Module().apply(seen.append)
            >>> len(seen)
            1
        """
        for module in reversed(list(self.modules())):
            function(module)
        return self

    def num_parameters(self, trainable_only: bool = False) -> int:
        """Count the numbers in all parameters, shared ones once.

        Example:
            >>> Module().num_parameters()
            0
        """
        return sum(p.size for p in self.parameters() if p.requires_grad or not trainable_only)

    def summary(self, example: Tensor | None = None) -> str:
        """Return a table of the modules: parameters and bytes, and with an example input the output shapes.

        Args:
            example: An input to run through the module once, in `eval` mode.
        """
        from tt_layers._summary import summary

        return summary(self, example)

    def describe(self) -> str:
        """Return the settings that `repr` shows between the parentheses; a subclass may override it."""
        return ""

    @recursive_repr("...")
    def __repr__(self) -> str:
        lines = [f"({name}): {child!r}".replace("\n", "\n  ") for name, child in self.named_children()]
        inside = [self.describe()] if self.describe() else []
        if not lines:
            return f"{type(self).__name__}({', '.join(inside)})"
        return "\n  ".join([f"{type(self).__name__}({', '.join(inside)}", *lines]) + "\n)"


def refuse_plain(module: Module, name: str) -> None:
    """Refuse a plain Tensor where a buffer stands: nobody would notice that it is saved no more.

    A parameter's place may be taken, to try a function of it: an optimizer notices if that was a mistake.
    """
    if isinstance(vars(module).get(name), Buffer):
        raise TypeError(
            f"{type(module).__name__}.{name} is a Buffer; a plain Tensor in its place would not be saved. Change its "
            f"numbers with {name}.assign_(...), or assign a new Buffer."
        )


def walk(value: object, name: str = "", seen: dict[int, object] | None = None) -> Iterator[tuple[str, Found]]:
    """Yield every module, parameter and buffer reachable from a value, with its dotted name, each object once.

    A module comes before its members. Lists and tuples contribute their positions to the name, dicts their keys.

    Example:
        >>> part = Parameter([1.0])
        >>> [name for name, _ in walk({"a": [part, Module()], "again": part})]
        ['a.0', 'a.1']
    """
    seen = {} if seen is None else seen
    if not isinstance(value, (Module, Parameter, Buffer, list, tuple, dict)) or id(value) in seen:
        return
    seen[id(value)] = value  # held: the id of a list that `members` made for us must not be given to the next one
    if isinstance(value, (Module, Parameter, Buffer)):
        yield name, value
    members: Iterator[tuple[object, object]] = iter(())
    if isinstance(value, Module):
        members = iter(value.members())
    elif isinstance(value, dict):
        members = iter(value.items())
    elif isinstance(value, (list, tuple)):
        members = iter(enumerate(value))
    for key, member in members:
        yield from walk(member, f"{name}.{key}" if name else str(key), seen)


@contextmanager
def observe_calls(observer: Observer) -> Iterator[None]:
    """Within the block, call `observer(module, inputs, output)` after every module that is called.

    The observation belongs to the current context: other threads do not see it.

    Args:
        observer: What to call.

    Example:
        >>> class Same(Module):
        ...     def forward(self, x: Tensor) -> Tensor:
        ...         return x
        >>> with observe_calls(lambda module, inputs, output: print(type(module).__name__, output.shape)):
        ...     _ = Same()(Tensor([1.0, 2.0]))
        Same (2,)
    """
    token = _observers.set((*_observers.get(), observer))
    try:
        yield
    finally:
        _observers.reset(token)
