"""Starts workers and asks them for rounds, in turn."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TypeAlias, cast

import numpy as np

from tools.bench.works import Work
from tools.packages import ROOT

Samples: TypeAlias = "dict[str, list[float]]"

_NUMPY = "import numpy"
_IMPORTS = {
    "ours": "import tinytorch as tt; tt.Tensor; tt.nn.Linear; tt.optim.Adam; tt.no_grad",
    "torch": "import torch; torch.Tensor; torch.nn.Linear; torch.optim.Adam; torch.no_grad",
}


def _environment(threads: int) -> dict[str, str]:
    names = (f"{name}_NUM_THREADS" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "RAYON"))
    compiled = {"TORCHINDUCTOR_CACHE_DIR": str(ROOT / ".cache" / "bench" / "compiled")}
    return {**os.environ, **compiled, **dict.fromkeys(names, str(threads))}


def simd_extensions() -> list[str]:
    """Return which of the processor's extensions NumPy has found and uses, beyond those that it is built for."""
    described = cast("dict[str, dict[str, list[str]]]", np.show_config(mode="dicts"))
    return described["SIMD Extensions"].get("found", [])


def limited_to_avx2(found: Sequence[str]) -> dict[str, str]:
    """Return what tells both sides' libraries to go without AVX-512, given the extensions that NumPy has found."""
    wide = [name for name in found if name.startswith("AVX512") or name == "X86_V4"]
    numpy = {"NPY_DISABLE_CPU_FEATURES": " ".join(wide)} if wide else {}
    pytorch = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}
    return {"OPENBLAS_CORETYPE": "Haswell", **numpy, **pytorch}


class Worker:
    """The process of one side, `framework` or `framework:way`; closed by leaving the `with`."""

    def __init__(self, side: str, threads: int) -> None:
        self.side, self.threads = side, threads
        framework, _, self.way = side.partition(":")
        command = [sys.executable, "-m", "tools.bench.worker", framework]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=_environment(threads), stdin=pipe, stdout=pipe, text=True, encoding="utf-8"
        )

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        if kind is not None:
            self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def ask(self, do: str, **words: str | float) -> dict[str, object]:
        """Send a request and wait for its answer."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the worker was started without pipes")
        self._process.stdin.write(json.dumps({"do": do, "threads": self.threads, "way": self.way, **words}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker of {self.side} ended at {do!r} {words}; its error is above")
        answer: dict[str, object] = json.loads(line)
        return answer

    def value(self, do: str, **words: str | float) -> float:
        """Ask for one figure."""
        return float(str(self.ask(do, **words)["value"]))


def can_compile() -> bool:
    """Whether torch.compile finds what it needs: a C++ compiler, and Python's own header files."""
    found = any(shutil.which(name) for name in (os.environ.get("CXX"), "g++", "clang++", "c++") if name)
    return found and Path(sysconfig.get_path("include"), "Python.h").is_file()


def _words(work: Work) -> dict[str, str | float]:
    return {"job": work.job, "size": work.size, "variant": work.variant}


def in_turn(work: Work, rounds: int, seconds: float) -> tuple[Samples, dict[str, list[float]]]:
    """Measure the time of a work on all sides, round by round; give also what they must agree on, such as losses."""
    samples: Samples = {side: [] for side in work.sides}
    figures: dict[str, list[float]] = {}
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(side, work.threads)) for side in work.sides]
        for worker in workers:
            answer = worker.ask("prepare", seconds=seconds, **_words(work))
            figures[worker.side] = json.loads(json.dumps(answer["figures"]))
        for index in range(rounds):
            for worker in workers if index % 2 == 0 else workers[::-1]:
                samples[worker.side].append(worker.value("round"))
    return samples, figures


def fresh(work: Work, do: str, rounds: int, **words: float) -> Samples:
    """Ask for one figure of a new process, and of another, in turn."""
    samples: Samples = {side: [] for side in work.sides}
    for _ in range(rounds):
        for side in work.sides:
            with Worker(side, work.threads) as worker:
                samples[side].append(worker.value(do, **_words(work), **words))
    return samples


def mnist() -> dict[str, dict[str, float]]:
    """Train on MNIST in both frameworks, one after the other; give seconds and accuracy."""
    found = {}
    for name in ("ours", "torch"):
        with Worker(name, 2) as worker:
            found[name] = {key: float(str(value)) for key, value in worker.ask("mnist").items()}
    return found


def imports(rounds: int) -> Samples:
    """Time fresh interpreters that import a framework, less one beside it that imports NumPy alone."""
    # An environment that forbids bytecode would have every import compile its sources.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def seconds(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
        return time.perf_counter() - start

    for code in (_NUMPY, *_IMPORTS.values()):
        seconds(code)  # bytecode is written, files are cached
    samples: Samples = {name: [] for name in _IMPORTS}
    for _ in range(rounds):
        base = seconds(_NUMPY)
        for name, code in _IMPORTS.items():
            samples[name].append(seconds(code) - base)
    return samples
