"""The repository's own checks. Standard library only, so that any Python 3.11 can run them."""
