"""A reader of just those pickles that hold CIFAR-10: they are data to it, and it does without the `pickle` module.

A pickle is a program for a small stack machine, and some of its opcodes call functions. This machine knows only the
opcodes that such a file needs, and calls nothing: where a function is to be called, it notes the name and arguments.

Reference: the descriptions of the opcodes in Python's `pickletools`.
"""

from __future__ import annotations

import io
import pickletools
from dataclasses import dataclass

from ._errors import DataError

# An official file has some 30,000. For each, up to some 100 bytes of memory are taken beside what the file holds.
_MAX_OPCODES = 200_000
_MAX_KEY = 64
_GLOBALS = {
    "numpy.core.multiarray _reconstruct": "_reconstruct",
    "numpy._core.multiarray _reconstruct": "_reconstruct",
    "numpy.core.numeric _frombuffer": "_frombuffer",  # protocol 5 has it in place of _reconstruct
    "numpy._core.numeric _frombuffer": "_frombuffer",
    "numpy ndarray": "ndarray",
    "numpy dtype": "dtype",
    "_codecs encode": "encode",  # Python 3 writes bytes so in protocol 2
}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_VALUES = {"BININT", "BININT1", "BININT2", "BINBYTES", "SHORT_BINBYTES", "BYTEARRAY8"}
# Strings of Python 2 (BINSTRING) come as text, one character for each byte.
_VALUES |= {"BINSTRING", "SHORT_BINSTRING", "BINUNICODE", "SHORT_BINUNICODE"}


@dataclass(eq=False, slots=True)
class Global:
    """The name of a function or class, which is never looked up."""

    name: str


@dataclass(eq=False, slots=True)
class Call:
    """The name of a function that is not called, its arguments, and the state that its result is to be given."""

    name: str
    arguments: tuple[object, ...]
    state: tuple[object, ...] | None = None


def raw_bytes(value: object, most: int) -> bytes | bytearray | None:
    """Return what stands for at most `most` bytes: bytes, a string of Python 2, or text that is to be encoded."""
    match value:
        case Call("encode", (str(text), "latin1")):
            value = text
    if not isinstance(value, str | bytes | bytearray) or len(value) > most:
        return None
    try:
        return value.encode("latin-1") if isinstance(value, str) else value
    except UnicodeEncodeError as error:
        raise DataError("holds text where bytes belong (it is not latin-1)") from error


def read_pickle(data: bytes | bytearray) -> dict[bytes, object]:
    """Read a pickle of one dictionary with short keys; arrays in it are a `Call` that was never made.

    Raises:
        DataError: It is malformed, or holds an opcode or a global that no CIFAR-10 file needs.
    """
    machine, stream = _Machine(), io.BytesIO(data)
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
            if count == _MAX_OPCODES:
                raise DataError(f"holds more than {_MAX_OPCODES:,} opcodes")
            if opcode.name == "FRAME" and isinstance(argument, int) and argument > len(data) - stream.tell():
                raise _improper("a frame is longer than the file")
            if opcode.name == "PROTO" and argument not in range(2, 6):
                raise DataError(f"is a pickle of protocol {argument}; 2 to 5 are read")
            if opcode.name not in ("FRAME", "PROTO", "STOP"):
                machine.step(opcode.name, argument)
    except DataError:
        raise
    # A warning is about an escape in a string, and an error only where warnings are. Messages may quote the whole file.
    except (ValueError, Warning) as error:
        raise _improper(str(error)[:200]) from None
    (result,) = machine.pop(1)
    if not isinstance(result, dict):
        raise DataError("is a pickle of something that is no dictionary")
    if stream.read(1):
        raise _improper("there are bytes after its end")
    return result


def _improper(why: str) -> DataError:
    return DataError(f"is no proper pickle ({why})")


def _named(module: object, name: object) -> Global:
    text = f"{module} {name}" if isinstance(module, str) and isinstance(name, str) else None
    if text is None:
        raise _improper("the name of a global is no text")
    if text not in _GLOBALS:
        raise DataError(f"asks for {text.replace(' ', '.', 1)[:100]!a}, which no CIFAR-10 file needs: it is not read")
    return Global(_GLOBALS[text])


class _Machine:
    """The stack, the stacks that marks have put aside, and the memo."""

    def __init__(self) -> None:
        self._stack: list[object] = []
        self._aside: list[list[object]] = []
        self._memo: dict[int, object] = {}

    def pop(self, count: int) -> list[object]:
        """Take the topmost objects, none of them from below a mark."""
        if len(self._stack) < count:
            raise _improper("it takes more from its stack than lies there")
        taken = self._stack[-count:]
        del self._stack[-count:]
        return taken

    def step(self, name: str, argument: object) -> None:
        """Do what an opcode says: here those that put one object on the stack, or keep it."""
        if name in _VALUES:
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in ("EMPTY_LIST", "EMPTY_DICT"):
            self._stack.append([] if name == "EMPTY_LIST" else {})
        elif name == "MARK":
            self._aside.append(self._stack)
            self._stack = []
        elif name in ("BINPUT", "LONG_BINPUT", "MEMOIZE"):
            self._stack += (top := self.pop(1))
            self._memo[argument if isinstance(argument, int) else len(self._memo)] = top[0]
        elif name in ("BINGET", "LONG_BINGET"):
            if argument not in self._memo:
                raise _improper(f"there is no memo {argument}")
            self._stack.append(self._memo[argument])
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            self._stack.append(_named(*(str(argument).split(" ", 1) if argument is not None else self.pop(2))))
        else:
            self._combine(name)

    def _combine(self, name: str) -> None:
        counts = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3, "APPEND": 1, "SETITEM": 2, "REDUCE": 1, "BUILD": 1}
        if name not in counts and name not in ("TUPLE", "APPENDS", "SETITEMS"):
            raise DataError(f"holds the opcode {name}, which no CIFAR-10 file needs: it is not read")
        items = self.pop(counts[name]) if name in counts else self._since_mark()
        if name.startswith("TUPLE"):
            self._stack.append(tuple(items))
            return
        (target,) = self.pop(1)
        match name, target, items:
            case "APPEND" | "APPENDS", list(), _:
                target += items
            case "SETITEM" | "SETITEMS", dict(), _:
                self._update(target, items)
            case "REDUCE", Global(function), [tuple(arguments)]:
                target = Call(function, arguments)
            case "BUILD", Call(state=None), [tuple(state)]:
                target.state = state
            case _:
                raise _improper(f"{name} of what it is not made for")
        self._stack.append(target)

    def _since_mark(self) -> list[object]:
        if not self._aside:
            raise _improper("it has no mark where one is needed")
        items, self._stack = self._stack, self._aside.pop()
        return items

    @staticmethod
    def _update(target: dict[bytes, object], items: list[object]) -> None:
        if len(items) % 2:
            raise _improper("there is a key without a value")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if (raw := raw_bytes(key, _MAX_KEY)) is None:
                raise DataError(f"holds a key that is no text of at most {_MAX_KEY} characters")
            target[bytes(raw)] = value
