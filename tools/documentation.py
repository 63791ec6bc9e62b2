"""Check the documentation: every link inside it leads somewhere, and every Python block in it runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.packages import ROOT, discover

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_PROMPT = re.compile(r"^>>> ", re.MULTILINE)
_LONGEST = 300.0


def pages(root: Path = ROOT) -> list[Path]:
    """List every page of the repository: its own, those of docs and milestones, and each package's README."""
    found = sorted(root.glob("*.md")) + sorted(root.glob("docs/**/*.md")) + sorted(root.glob("milestones/**/*.md"))
    return found + [path for package in discover(root).values() if (path := package.folder / "README.md").is_file()]


def anchors(text: str) -> set[str]:
    """Give the anchors of a page's headings, as the usual renderers write them."""
    prose = _FENCE.sub("", text)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(prose))
    return {heading.replace(" ", "-") for heading in plain}


def broken_links(page: Path, root: Path = ROOT) -> list[str]:
    """List the links of a page that lead nowhere inside the repository; links to elsewhere are not followed."""
    found: list[str] = []
    prose = re.sub(r"`[^`\n]*`", "", _FENCE.sub("", page.read_text(encoding="utf-8")))
    for target in _LINK.findall(prose):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        where = page.relative_to(root)
        if not path.exists():
            found.append(f"{where}: the link {target} leads nowhere; correct it")
        elif anchor and path.suffix == ".md" and anchor not in anchors(path.read_text(encoding="utf-8")):
            found.append(f"{where}: {name or 'the page'} has no heading #{anchor}; correct the link")
    return found


def code(page: Path) -> str:
    """Join a page's Python blocks into one script; those with prompts are doctests, which pytest runs."""
    blocks = [text for language, text in _FENCE.findall(page.read_text(encoding="utf-8")) if language == "python"]
    return "\n".join(block for block in blocks if not _PROMPT.search(block))


def run_code(page: Path, root: Path = ROOT) -> str | None:
    """Run a page's Python blocks, one after the other in one process, and say what went wrong."""
    script = code(page)
    if not script.strip():
        return None
    with tempfile.TemporaryDirectory(prefix="tt-docs-") as folder:
        path = Path(folder) / "page.py"
        path.write_text(script, encoding="utf-8")
        environment = {**os.environ, "MPLBACKEND": "Agg"}
        command = [sys.executable, str(path)]
        try:
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_LONGEST, check=False
            )
        except subprocess.TimeoutExpired:
            return f"{page.relative_to(root)}: its code runs longer than {_LONGEST:.0f} s; shorten it"
    if done.returncode:
        return f"{page.relative_to(root)}: its code fails; correct it\n{done.stderr.strip()}"
    return None


def main() -> int:
    """Check every page, or those named."""
    chosen = [Path(name).resolve() for name in sys.argv[1:]] or pages()
    for page in chosen:
        if not page.is_file() or not page.is_relative_to(ROOT):
            raise SystemExit(f"{page} is no page of {ROOT}; name a file below that, or none for every page")
    problems = [problem for page in chosen for problem in broken_links(page)]
    ran = [page for page in chosen if code(page).strip()]
    problems += [problem for page in ran if (problem := run_code(page))]
    print("\n".join([*problems, f"{len(chosen)} pages, code of {len(ran)} run, {len(problems)} problems"]))
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
