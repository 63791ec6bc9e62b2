"""Rules about exercises.toml: every entry names a function that exists, and gives three hints."""

from __future__ import annotations

from tools.exercises import Exercise, ExerciseError, Mutant, cut, load, mutate
from tools.packages import Package
from tools.rules._violation import Violation

_HINTS = 3


def check_exercises(package: Package) -> list[Violation]:
    """Check a package's exercises against its source."""
    path = package.folder / "exercises.toml"
    try:
        exercises, mutants = load(package)
    except ExerciseError as problem:
        return [Violation(path, 0, str(problem), "correct it")]
    found: list[Violation] = []
    named: dict[str, Exercise] = {}
    for exercise in exercises:
        if exercise.name in named:
            found.append(Violation(path, 0, f"two exercises are called {exercise.name!r}", "rename one"))
        named[exercise.name] = exercise
        found += [
            Violation(path, 0, f"exercise {exercise.name!r}: {what}", remedy)
            for what, remedy in _problems(exercise, package)
        ]
    for mutant in mutants:
        if wrong := _mutant_problem(mutant, named, package):
            what = f"mutant {mutant.misconception!r}: {wrong}"
            found.append(Violation(path, 0, what, "correct the entry"))
    return found


def _problems(exercise: Exercise, package: Package) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if len(exercise.hints) != _HINTS:
        found.append((f"has {len(exercise.hints)} hints", "give three, from a nudge to nearly there"))
    if exercise.points < 1:
        found.append((f"has {exercise.points} points", "give it one at least"))
    for entry in exercise.contract:
        if not (package.folder / entry.partition("::")[0]).exists():
            found.append((f"names {entry}, which does not exist", "name the test files that show it"))
    source = package.folder / "src" / exercise.path(package)
    try:
        cut(source.read_bytes(), [exercise.function])
    except FileNotFoundError:
        found.append((f"there is no module {exercise.module}", "correct the entry"))
    except ExerciseError as problem:
        found.append((str(problem), "correct the entry"))
    return found


def _mutant_problem(mutant: Mutant, named: dict[str, Exercise], package: Package) -> str | None:
    exercise = named.get(mutant.exercise)
    if exercise is None:
        return f"there is no exercise {mutant.exercise!r}"
    source = package.folder / "src" / exercise.path(package)
    try:
        mutate(source.read_bytes(), exercise.function, mutant)
    except ExerciseError as problem:
        return str(problem)
    except FileNotFoundError:
        return f"there is no module {exercise.module}"
    return None
