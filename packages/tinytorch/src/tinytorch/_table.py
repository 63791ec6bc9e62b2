"""The one table of the framework's packages: a line each says its module, its tier and where its names appear.

`tt.nn.functional` holds `softmax` because a line here says so. The `.pyi` files beside the lazy modules, which type
checkers read, are written from these lines by `python -m tinytorch._stubs`, and a test compares the two. A package
that comes to life moves from `PLANNED` to `BUILT`.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["BUILT", "PACKAGES", "PLANNED", "SUBMODULES", "Package", "Source", "by_import_name", "homes", "sources_of"]


class Package(NamedTuple):
    """One package of the framework.

    Args:
        distribution: What pip calls it.
        module: Its number in the course.
        tier: The extra of `tinytorch` that installs it.
        core: Its name below `tinytorch.core`.
        names: For each lazy module of the facade (`""` is `tinytorch` itself) the names that it shows, between spaces.
            Those after a word `part:` come from that submodule of the package: `"Linear init: kaiming_normal"`.
    """

    distribution: str
    module: int
    tier: str
    core: str
    names: dict[str, str]

    @property
    def import_name(self) -> str:
        """What Python calls it."""
        return self.distribution.replace("-", "_")


class Source(NamedTuple):
    """Where one name of a lazy module comes from: a package, and the module of it that holds the name."""

    package: Package
    module: str


# fmt: off
BUILT: tuple[Package, ...] = (
    Package("tt-tensor", 1, "foundation", "tensor", {
        "": "Tensor from_numpy zeros ones full eye arange linspace rand randn manual_seed",
    }),
    Package("tt-activations", 2, "foundation", "activations", {
        "nn": "ELU GELU LeakyReLU LogSoftmax ReLU SiLU Sigmoid Softmax Softplus Tanh",
        "nn.functional": "elu gelu leaky_relu log_softmax relu sigmoid silu softmax softplus tanh",
    }),
    Package("tt-layers", 3, "foundation", "layers", {
        "nn": "Module Parameter Buffer Linear Dropout Sequential Flatten Identity Residual",
    }),
    Package("tt-losses", 4, "foundation", "losses", {}),
    Package("tt-data", 5, "foundation", "data", {}),
    Package("tt-autograd", 6, "foundation", "autograd", {
        "": "no_grad enable_grad", "autograd": "no_grad enable_grad grad checkpoint gradcheck detect_anomaly graph",
    }),
    Package("tt-optim", 7, "foundation", "optim", {"optim": "SGD RMSprop Adam AdamW"}),
    Package("tt-train", 8, "foundation", "train", {}),
)

PLANNED: tuple[Package, ...] = (
    Package("tt-conv", 9, "architecture", "conv", {
        "nn": "Conv1d Conv2d MaxPool2d AvgPool2d GlobalAvgPool2d BatchNorm2d GroupNorm",
        "nn.functional": "conv1d conv2d max_pool2d avg_pool2d adaptive_avg_pool2d unfold",
    }),
    Package("tt-tokenizers", 10, "architecture", "tokenizers", {"text": "CharTokenizer BPETokenizer"}),
    Package("tt-embeddings", 11, "architecture", "embeddings", {
        "nn": "Embedding PositionalEmbedding RotaryEmbedding", "nn.functional": "sinusoidal_positions",
    }),
    Package("tt-attention", 12, "architecture", "attention", {
        "nn": "MultiHeadAttention", "nn.functional": "scaled_dot_product_attention",
    }),
    Package("tt-transformers", 13, "architecture", "transformers", {
        "nn": "LayerNorm RMSNorm MLP SwiGLU TransformerBlock GPT Llama",
    }),
    Package("tt-profiler", 14, "optimization", "profiler", {"profile": "Profiler profile"}),
    Package("tt-quant", 15, "optimization", "quant", {"quant": "quantize calibrate"}),
    Package("tt-compress", 16, "optimization", "compress", {"compress": "prune distill factorize"}),
    Package("tt-accel", 17, "optimization", "accel", {"accel": "kernels use"}),
    Package("tt-kvcache", 18, "optimization", "kvcache", {"nn": "cached"}),
    Package("tt-bench", 19, "optimization", "bench", {"bench": "benchmark compare"}),
    Package("tt-capstone", 20, "optimization", "capstone", {"olympics": "submit verify leaderboard"}),
)
# fmt: on

PACKAGES = BUILT + PLANNED

SUBMODULES: dict[str, tuple[str, ...]] = {
    "": (
        *("accel", "autograd", "bench", "compress", "core", "data", "milestone", "nn", "olympics", "optim"),
        *("packages", "profile", "quant", "text", "train"),
    ),
    "nn": ("functional", "init"),
    "core": tuple(package.core for package in PACKAGES),
}

_SOURCES: dict[str, dict[str, Source]] = {}


def by_import_name(name: str) -> Package | None:
    """Return the package that Python calls so, or None."""
    return next((package for package in PACKAGES if package.import_name == name), None)


def _fill(space: str) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for package in PACKAGES:
        module = package.import_name
        for word in package.names.get(space, "").split():
            if word.endswith(":"):
                module = f"{package.import_name}.{word[:-1]}"
            else:
                found[word] = Source(package, module)
    return found


def sources_of(space: str) -> dict[str, Source]:
    """Return the names of a lazy module and where each comes from.

    Args:
        space: The module below `tinytorch`, such as `nn.functional`; `""` for `tinytorch` itself.

    Example:
        >>> sources_of("nn")["Linear"].module
        'tt_layers'
    """
    if space not in _SOURCES:
        _SOURCES[space] = _fill(space)
    return _SOURCES[space]


def homes(name: str) -> list[str]:
    """Return the lazy modules that show a name, for a better error where it was looked for in another."""
    spaces = dict.fromkeys(space for package in PACKAGES for space in package.names)
    return [space for space in spaces if name in sources_of(space)]
