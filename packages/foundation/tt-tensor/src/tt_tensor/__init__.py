"""TinyTorch module 01: the tensor, its operations, and the one seam every operation goes through."""

from tt_tensor._creation import (
    arange,
    eye,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    rand,
    rand_like,
    randn,
    randn_like,
    zeros,
    zeros_like,
)
from tt_tensor._evaluate import Evaluate
from tt_tensor._interpreter import Interpreter, current, install, set_bottom, use_interpreter
from tt_tensor._primitive import (
    Array,
    Kernel,
    Primitive,
    applies,
    kernels,
    primitive_of,
    primitives,
    register_kernel,
    use_kernel,
)
from tt_tensor._random import default_rng, manual_seed, rng_state, set_rng_state
from tt_tensor._tensor import GradFn, Tensor, TensorLike, from_numpy, increment_version, wrap

set_bottom(Evaluate())
