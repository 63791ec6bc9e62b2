"""One framework's process: a request in JSON on each line of its input, an answer on each line of its output.

`python -m tools.bench.worker ours|torch`. Requests: `prepare` (job, size, threads, variant, seconds), then `round` as
often as wanted; or, each in a process of its own, `peak`, `growth` and `mnist`.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

if sys.argv[1] == "ours":
    from tools.bench import ours as framework
else:
    from tools.bench import pytorch as framework  # type: ignore[no-redef]  # one of two modules with the same names

Run = Callable[[], int]


class Request(TypedDict, total=False):
    """What may be asked."""

    do: str
    job: str
    size: int
    threads: int
    variant: str
    seconds: float
    steps: int


class State:
    """What has been prepared, and how often a round runs it."""

    run: Run | None = None
    number: int = 1


def prepared(request: Request) -> tuple[Run, list[float]]:
    """Prepare a job, and run it once; give also the losses of that, if it has any."""
    job, size, variant = request["job"], request["size"], request["variant"]
    if job in ("mlp", "wide"):
        training = framework.training(job, size)
        run = training.fit if variant == "fit" else training.loop
        run()
        return run, list(training.losses)
    run = {"ops": framework.ops, "epoch": framework.epoch, "clip_adam": framework.clip_adam}[job](size, variant)
    run()
    return run, []


def prepare(request: Request, state: State) -> dict[str, object]:
    """Prepare a job, and find how many runs fill the wanted seconds."""
    state.run, losses = prepared(request)
    start, runs = time.perf_counter(), 0
    while time.perf_counter() - start < request["seconds"]:
        state.run()
        runs += 1
    state.number = max(1, runs)
    return {"losses": losses, "number": state.number}


def measure(request: Request, state: State) -> dict[str, object]:
    """Give the seconds of one unit of work, over a round of them."""
    if state.run is None:
        raise RuntimeError("asked for a round before a job was prepared")
    units = 0
    start = time.perf_counter()
    for _ in range(state.number):
        units += state.run()
    return {"value": (time.perf_counter() - start) / units}


def resident(key: str = "VmRSS") -> int:
    """Read the process's memory in kB: VmRSS now, or VmHWM at its highest."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1])
    raise RuntimeError(f"/proc/self/status has no {key}; memory is measured on Linux only")


def peak(request: Request, state: State) -> dict[str, object]:
    """Give the highest memory of training steps above that after the imports, in kB, the model's own included."""
    framework.training("mlp", 1).loop()  # what a framework loads at its first step is no memory of this one
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # VmHWM starts again from here
    before = resident()
    training = framework.training(request["job"], request["size"])
    for _ in range(3):
        training.loop()
    return {"value": resident("VmHWM") - before}


def growth(request: Request, state: State) -> dict[str, object]:
    """Give the growth of memory in kB for each step, with the collector off."""
    run, _ = prepared(request)
    gc.collect()
    gc.disable()
    for _ in range(10):
        run()
    before, done = resident(), 0
    while done < request["steps"]:
        done += run()
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
