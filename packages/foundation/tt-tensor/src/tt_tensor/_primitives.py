"""Every primitive operation of tensors, each a name and a kernel.

The kernels are plain functions of arrays; a bare NumPy ufunc is one too. Whether an operation treats elements alone
(`elementwise`: broadcasting is undone by the engine) or may share its input's memory (`view`) is said here.
"""

from __future__ import annotations

import numpy as np

from tt_tensor import _kernels_elementwise as elementwise
from tt_tensor import _kernels_index as indexing
from tt_tensor import _kernels_linalg as linalg
from tt_tensor import _kernels_reduce as reduce
from tt_tensor import _kernels_shape as shapes
from tt_tensor._comparison import Comparison
from tt_tensor._primitive import Primitive

add = Primitive("add", np.add, elementwise=True)
subtract = Primitive("subtract", np.subtract, elementwise=True)
multiply = Primitive("multiply", np.multiply, elementwise=True)
divide = Primitive("divide", elementwise.divide, elementwise=True)
negative = Primitive("negative", np.negative, elementwise=True)
floor_divide = Primitive("floor_divide", elementwise.floor_divide, elementwise=True)
remainder = Primitive("remainder", elementwise.remainder, elementwise=True)
power = Primitive("power", elementwise.power, elementwise=True)
abs_ = Primitive("abs", np.absolute, elementwise=True)
exp = Primitive("exp", elementwise.exp, elementwise=True)
log = Primitive("log", elementwise.log, elementwise=True)
log1p = Primitive("log1p", elementwise.log1p, elementwise=True)
sqrt = Primitive("sqrt", elementwise.sqrt, elementwise=True)
sin = Primitive("sin", elementwise.sin, elementwise=True)
cos = Primitive("cos", elementwise.cos, elementwise=True)
tanh = Primitive("tanh", elementwise.tanh, elementwise=True)
erf = Primitive("erf", elementwise.erf, elementwise=True)
clip = Primitive("clip", elementwise.clip, elementwise=True)
maximum = Primitive("maximum", np.maximum, elementwise=True)
minimum = Primitive("minimum", np.minimum, elementwise=True)
where = Primitive("where", elementwise.where, elementwise=True)
masked_fill = Primitive("masked_fill", elementwise.masked_fill, elementwise=True)
astype = Primitive("astype", elementwise.astype, elementwise=True)
copy = Primitive("copy", elementwise.copy, elementwise=True)
detach = Primitive("detach", lambda x: x, view=True, doc="Share the memory; let no gradient through.")

equal = Comparison("equal", np.equal, elementwise=True)
not_equal = Comparison("not_equal", np.not_equal, elementwise=True)
less = Comparison("less", np.less, elementwise=True)
less_equal = Comparison("less_equal", np.less_equal, elementwise=True)
greater = Comparison("greater", np.greater, elementwise=True)
greater_equal = Comparison("greater_equal", np.greater_equal, elementwise=True)
logical_not = Primitive("logical_not", np.logical_not, elementwise=True)
floor = Primitive("floor", np.floor, elementwise=True)
sign = Primitive("sign", np.sign, elementwise=True)
isfinite = Primitive("isfinite", np.isfinite, elementwise=True)
isnan = Primitive("isnan", np.isnan, elementwise=True)

sum_ = Primitive("sum", reduce.sum_)
mean = Primitive("mean", reduce.mean)
var = Primitive("var", reduce.var)
std = Primitive("std", reduce.std)
prod = Primitive("prod", reduce.prod)
max_ = Primitive("max", reduce.max_)
min_ = Primitive("min", reduce.min_)
argmax = Primitive("argmax", reduce.argmax)
argmin = Primitive("argmin", reduce.argmin)
any_ = Primitive("any", reduce.any_)
all_ = Primitive("all", reduce.all_)
logsumexp = Primitive("logsumexp", reduce.logsumexp)
norm = Primitive("norm", reduce.norm)
cumsum = Primitive("cumsum", reduce.cumsum)

reshape = Primitive("reshape", shapes.reshape, view=True)
transpose = Primitive("transpose", shapes.transpose, view=True)
expand_dims = Primitive("expand_dims", shapes.expand_dims, view=True)
squeeze = Primitive("squeeze", shapes.squeeze, view=True)
broadcast_to = Primitive("broadcast_to", shapes.broadcast_to, view=True)
flip = Primitive("flip", shapes.flip, view=True)
concat = Primitive("concat", shapes.concat)
stack = Primitive("stack", shapes.stack)
pad = Primitive("pad", shapes.pad)
tile = Primitive("tile", shapes.tile)
repeat = Primitive("repeat", shapes.repeat)

index = Primitive("index", indexing.index, view=True)
take = Primitive("take", indexing.take)
gather = Primitive("gather", indexing.gather)
one_hot = Primitive("one_hot", indexing.one_hot)
tril = Primitive("tril", indexing.tril)
triu = Primitive("triu", indexing.triu)
sort = Primitive("sort", indexing.sort)
argsort = Primitive("argsort", indexing.argsort)

einsum = Primitive("einsum", linalg.einsum)
matmul = Primitive("matmul", linalg.matmul)
