"""The one table of the framework's packages: a line each says its module, its tier and where its names appear.

`tt.nn.functional` holds `softmax` because a line here says so. The `.pyi` files beside the lazy modules, which type
checkers read, are written from these lines by `python -m tinytorch.typed_names`, and a test compares the two. A package
that comes to life moves from `PLANNED` to `BUILT`.
"""

from __future__ import annotations

__all__ = ["BUILT", "PACKAGES", "PLANNED", "SUBMODULES", "Package", "Source", "by_import_name", "homes", "sources_of"]


class Package:
    """One package of the framework.

    Args:
        distribution: What pip calls it.
        module: Its number in the course.
        tier: The extra of `tinytorch` that installs it.
        core: Its name below `tinytorch.core`.
        names: For each lazy module of the facade (`""` is `tinytorch` itself) the names that it shows, between spaces.
            Those after a word `part:` come from that submodule of the package: `"Linear init: kaiming_normal"`.
    """

    # No dataclass: making one costs more than everything else that `import tinytorch` does.
    __slots__ = ("core", "distribution", "import_name", "module", "names", "tier")

    def __init__(self, distribution: str, module: int, tier: str, core: str, names: dict[str, str]) -> None:
        self.distribution = distribution
        self.module = module
        self.tier = tier
        self.core = core
        self.names = names
        self.import_name = distribution.replace("-", "_")

    @property
    def known(self) -> frozenset[str]:
        """Every name that the facade shows of it."""
        words = " ".join(self.names.values()).split()
        return frozenset(word for word in words if not word.endswith(":"))

    def __repr__(self) -> str:
        return f"<{self.distribution}, module {self.module}>"


class Source:
    """Where one name of a lazy module comes from: a package, and the module of it that holds the name."""

    __slots__ = ("module", "package")

    def __init__(self, package: Package, module: str) -> None:
        self.package = package
        self.module = module


# fmt: off
BUILT: tuple[Package, ...] = (
    Package("tt-tensor", 1, "foundation", "tensor", {
        "": "Tensor TensorLike Array Primitive Interpreter use_interpreter use_kernel register_kernel kernels "
            "primitives primitive_of set_num_threads get_num_threads keep_freed_memory manual_seed default_rng "
            "rng_state set_rng_state as_tensor from_numpy zeros zeros_like ones ones_like full full_like eye arange "
            "linspace rand rand_like randn randn_like add subtract multiply divide floor_divide remainder negative "
            "power abs exp log log1p sqrt sin cos tanh erf clip maximum minimum where sign floor isfinite isnan equal "
            "not_equal less less_equal greater greater_equal logical_not sum mean var std prod max min argmax argmin "
            "any all logsumexp cumsum norm reshape flatten transpose swapaxes permute expand_dims squeeze "
            "broadcast_to concat stack split pad flip tile repeat take gather one_hot masked_fill tril triu sort "
            "argsort topk einsum matmul",
    }),
    Package("tt-activations", 2, "foundation", "activations", {
        "nn": "ELU GELU LeakyReLU LogSoftmax ReLU SiLU Sigmoid Softmax Softplus Tanh",
        "nn.functional": "elu gelu leaky_relu log_softmax relu sigmoid silu softmax softplus tanh",
    }),
    Package("tt-layers", 3, "foundation", "layers", {
        "nn": "Module Parameter Buffer Linear Dropout Sequential Flatten Identity Residual LoadReport",
        "nn.functional": "linear dropout",
        "nn.init": "init: constant_ fans gain kaiming_normal_ kaiming_uniform_ lecun_normal_ lecun_uniform_ normal_ "
                   "ones_ uniform_ xavier_normal_ xavier_uniform_ zeros_",
    }),
    Package("tt-losses", 4, "foundation", "losses", {
        "nn": "BCELoss BCEWithLogitsLoss CrossEntropyLoss HingeLoss HuberLoss KLDivLoss L1Loss MSELoss NLLLoss",
        "nn.functional": "binary_cross_entropy binary_cross_entropy_with_logits cross_entropy hinge_loss huber_loss "
                         "kl_div l1_loss mse_loss nll_loss",
    }),
    Package("tt-data", 5, "foundation", "data", {
        "data": "Batch Dataset TensorDataset Subset random_split DataLoader collate DataError DownloadError digits "
                "python_topics mnist fashion_mnist cifar10 tiny_shakespeare stories260k data_folder dataset_names "
                "dataset_info DatasetInfo download read_idx read_cifar10 Transform Compose Normalize RandomCrop "
                "RandomHorizontalFlip Cutout",
    }),
    Package("tt-autograd", 6, "foundation", "autograd", {
        "": "no_grad enable_grad",
        "autograd": "no_grad enable_grad is_grad_enabled grad checkpoint parallel gradcheck GradcheckError "
                    "detect_anomaly AnomalyError graph defvjp NONDIFFERENTIABLE Record",
    }),
    Package("tt-optim", 7, "foundation", "optim", {
        "optim": "Optimizer ParamGroup SGD RMSprop Adam AdamW Schedule Constant Step Cosine LinearWarmup OneCycle "
                 "clip_grad_norm_ clip_grad_value_",
    }),
    Package("tt-train", 8, "foundation", "train", {
        "train": "Trainer Loss Metric History Callback EarlyStopping TensorBoard TrainingInterrupted CheckpointError "
                 "save_checkpoint load_checkpoint read_checkpoint accumulate_gradients accuracy confusion_matrix "
                 "perplexity",
    }),
    Package("tt-conv", 9, "architecture", "conv", {
        "nn": "Conv1d Conv2d MaxPool2d AvgPool2d GlobalAvgPool2d BatchNorm2d GroupNorm fold_batch_norm",
        "nn.functional": "conv1d conv2d max_pool2d avg_pool2d adaptive_avg_pool2d unfold batch_norm2d group_norm",
    }),
    Package("tt-tokenizers", 10, "architecture", "tokenizers", {
        "text": "CharTokenizer BPETokenizer TokenizerError",
    }),
    Package("tt-embeddings", 11, "architecture", "embeddings", {
        "nn": "Embedding PositionalEmbedding RotaryEmbedding",
        "nn.functional": "embedding rotary sinusoidal_positions",
    }),
    Package("tt-attention", 12, "architecture", "attention", {
        "nn": "MultiHeadAttention record_attention",
        "nn.functional": "scaled_dot_product_attention attention_weights causal_mask padding_mask sliding_window_mask",
    }),
    Package("tt-transformers", 13, "architecture", "transformers", {
        "nn": "LayerNorm RMSNorm MLP SwiGLU TransformerBlock GPT Llama to_torch_layout from_torch_layout "
              "save_torch_layout load_torch_layout",
        "nn.functional": "layer_norm rms_norm",
    }),
)

PLANNED: tuple[Package, ...] = (
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
