"""Speed and memory beside PyTorch eager; `python -m tools.bench`, or `nox -s bench`.

Each framework runs in a process of its own, which stays alive and is asked for rounds in turn with the other's.
"""
