"""Values and gradients beside PyTorch's, for every function that both have: ``python -m tools.parity``."""
