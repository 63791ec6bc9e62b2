"""One framework's process: a request in JSON on each line of its input, an answer on each line of its output.

`python -m tools.bench.worker ours|torch|huggingface`. Requests: `prepare` (job, size, threads, variant, way, seconds),
then `round` as often as wanted; or, each in a process of its own, `peak`, `growth` and `mnist`.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from tools.bench.job import Job

MODULES = {"ours": "tools.bench.ours", "torch": "tools.bench.pytorch", "huggingface": "tools.bench.huggingface"}
SMALL = {"wide": ("mlp", 1), "lenet": ("lenet", 1), "cnn": ("cnn", 1), "gpt": ("gpt", 16)}
STEPS = 3  # of which the memory is taken

framework = importlib.import_module(MODULES[sys.argv[1]])


class Request(TypedDict, total=False):
    """What may be asked."""

    do: str
    job: str
    size: int
    threads: int
    variant: str
    way: str
    seconds: float
    steps: int


class State:
    """What has been prepared, and how often a round runs it."""

    job: Job | None = None
    number: int = 1


def prepared(request: Request) -> Job:
    """Prepare a job."""
    job: Job = framework.prepare(request["job"], request["size"], request["variant"], request["way"])
    return job


def prepare(request: Request, state: State) -> dict[str, object]:
    """Prepare a job, run it once, and find how many runs fill the wanted seconds; give the first run's figures."""
    state.job = prepared(request)
    state.job.run()
    figures = list(state.job.figures)
    start, runs = time.perf_counter(), 0
    while time.perf_counter() - start < request["seconds"]:
        state.job.run()
        runs += 1
    state.number = max(1, runs)
    return {"figures": figures, "number": state.number}


def measure(request: Request, state: State) -> dict[str, object]:
    """Give the seconds of one unit of work, over a round of them."""
    if state.job is None:
        raise RuntimeError("asked for a round before a job was prepared")
    units = 0.0
    start = time.perf_counter()
    for _ in range(state.number):
        units += state.job.run()
    return {"value": (time.perf_counter() - start) / units}


def resident(key: str = "VmRSS") -> int:
    """Read the process's memory in kB: VmRSS now, or VmHWM at its highest."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1])
    raise RuntimeError(f"/proc/self/status has no {key}; memory is measured on Linux only")


def trim() -> None:
    """Give free memory back to the system, where the C library can."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def peak(request: Request, state: State) -> dict[str, object]:
    """Give the highest memory of training steps above that after the imports, in kB, the model's own included."""
    # What a framework loads at its first step is no memory of this one; nor what that leaves free.
    framework.prepare(*SMALL[request["job"]], request["variant"], "").run()
    gc.collect()
    trim()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # VmHWM starts again from here
    before = resident()
    job, done = prepared(request), 0.0
    while done < STEPS:
        done += job.run()
    return {"value": resident("VmHWM") - before}


def growth(request: Request, state: State) -> dict[str, object]:
    """Give the growth of memory in kB for each step, with the collector off."""
    job = prepared(request)
    gc.collect()
    gc.disable()
    for _ in range(11):
        job.run()
    before, done = resident(), 0.0
    while done < request["steps"]:
        done += job.run()
    return {"value": (resident() - before) / done}


def mnist(request: Request, state: State) -> dict[str, object]:
    """Train on all of MNIST."""
    return dict(framework.mnist())


ANSWERS = {"prepare": prepare, "round": measure, "peak": peak, "growth": growth, "mnist": mnist}


def main() -> int:
    """Answer until the input ends."""
    state = State()
    for line in sys.stdin:
        request: Request = json.loads(line)
        if "threads" in request:
            framework.set_threads(request["threads"])
        print(json.dumps(ANSWERS[request["do"]](request, state)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
