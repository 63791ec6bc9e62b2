"""State trees: nested plain values and arrays, taken apart into named arrays plus JSON, and put together again.

A `state_dict` is a tree: dicts, lists and tuples of numbers, text, arrays and tensors. Arrays become entries of a
safetensors file under their path (`model.0.weight`, so that any other reader finds the weights); the rest becomes JSON.
What JSON cannot say - a tuple, an infinity, a key that is no text, where an array stood - is marked by a `$` key.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import NoReturn

import numpy as np
from tt_tensor import Array, Tensor, from_numpy

from ._errors import CheckpointError

__all__ = ["flatten", "unflatten"]

_FLOATS = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


def flatten(tree: Mapping[str, object]) -> tuple[dict[str, Array], str]:
    """Take a state tree apart into arrays by path and JSON text.

    Args:
        tree: Nested dicts, lists and tuples of None, bool, int, float, str, arrays and tensors.

    Returns:
        The arrays under their dotted paths, and the JSON of everything else.

    Raises:
        TypeError: The tree holds something else; the message names its place.
    """
    arrays: dict[str, Array] = {}
    return arrays, json.dumps(_encode(tree, "", arrays), allow_nan=False, separators=(",", ":"))


def _encode(node: object, path: str, arrays: dict[str, Array]) -> object:
    if node is None or isinstance(node, (bool, str)):
        return node
    if isinstance(node, (np.ndarray, np.generic, Tensor)):
        return _encode_array(node, path, arrays)
    if isinstance(node, int):
        return int(node)
    if isinstance(node, float):
        return float(node) if math.isfinite(node) else {"$float": str(float(node))}
    if isinstance(node, (list, tuple)):
        items = [_encode(item, _join(path, index), arrays) for index, item in enumerate(node)]
        return items if isinstance(node, list) else {"$tuple": items}
    if isinstance(node, Mapping):
        if all(isinstance(key, str) and not key.startswith("$") for key in node):
            return {key: _encode(value, _join(path, key), arrays) for key, value in node.items()}
        pairs = node.items()
        return {"$dict": [[_encode(k, path, arrays), _encode(v, _join(path, k), arrays)] for k, v in pairs]}
    what = path or "the state"
    raise TypeError(f"cannot save {what}: a {type(node).__name__} is neither number, text, array nor nest of these")


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _encode_array(node: Array | np.generic | Tensor, path: str, arrays: dict[str, Array]) -> object:
    kind = "$tensor" if isinstance(node, Tensor) else "$array" if isinstance(node, np.ndarray) else "$scalar"
    name = path.encode("utf-8", "replace").decode()  # a lone surrogate has no place in a file that others read
    while name in arrays or name == "__metadata__":  # {"a.b": x, "a": {"b": y}} would meet in one name
        name += "'"
    arrays[name] = node.data if isinstance(node, Tensor) else np.asarray(node)
    return {kind: name}


def unflatten(arrays: Mapping[str, Array], text: str) -> dict[str, object]:
    """Put a state tree together again.

    Args:
        arrays: The arrays by path, as `flatten` made them.
        text: The JSON, as `flatten` made it.

    Raises:
        CheckpointError: The text is not such JSON, or names an array that is not there.
    """

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    try:
        tree = _decode(json.loads(text, parse_constant=refuse), arrays)
    except (ValueError, TypeError, RecursionError) as error:  # TypeError: a key that cannot be hashed
        raise CheckpointError(f"the state in the header cannot be read ({error})") from error
    if not isinstance(tree, dict):
        raise CheckpointError("the state in the header must be a JSON object")
    return tree


def _decode(node: object, arrays: Mapping[str, Array]) -> object:
    if isinstance(node, list):
        return [_decode(item, arrays) for item in node]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        (key, value), *_ = node.items()
        if key.startswith("$"):
            return _decode_marked(key, value, arrays)
    return {key: _decode(value, arrays) for key, value in node.items()}


def _decode_marked(kind: str, value: object, arrays: Mapping[str, Array]) -> object:
    if kind == "$float" and isinstance(value, str) and value in _FLOATS:
        return _FLOATS[value]
    if kind == "$tuple" and isinstance(value, list):
        return tuple(_decode(item, arrays) for item in value)
    if kind == "$dict" and isinstance(value, list):
        pairs = [_decode(item, arrays) for item in value]
        if all(isinstance(pair, list) and len(pair) == 2 and pair[0].__hash__ is not None for pair in pairs):
            return {pair[0]: pair[1] for pair in pairs if isinstance(pair, list)}
    wrappers: dict[str, Callable[[Array], object]] = {
        "$tensor": from_numpy,
        "$array": lambda array: array,
        "$scalar": lambda array: array[()],
    }
    if kind in wrappers and isinstance(value, str):
        if value not in arrays:
            raise CheckpointError(f"array {value!r} is missing")
        return wrappers[kind](arrays[value])
    raise CheckpointError(f"the state in the header holds the unknown mark {kind[:40]!r}")
