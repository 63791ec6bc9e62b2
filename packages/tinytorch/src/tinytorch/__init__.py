"""TinyTorch."""
