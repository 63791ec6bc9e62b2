from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools.documentation import anchors, broken_links, code, main, run_code
from tools.packages import ROOT


def page(folder: Path, text: str) -> Path:
    path = folder / "page.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_links_that_lead_somewhere(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# A Title, with signs!\n", encoding="utf-8")
    text = "# Own\n[a](other.md) [b](other.md#a-title-with-signs) [c](#own) [d](https://example.org/x) `[e](no.md)`\n"
    assert broken_links(page(tmp_path, text), tmp_path) == []


def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Title\n", encoding="utf-8")
    found = broken_links(page(tmp_path, "[a](none.md) [b](other.md#else) [c](#nothing)\n"), tmp_path)
    assert [line.split(";")[0] for line in found] == [
        "page.md: the link none.md leads nowhere",
        "page.md: other.md has no heading #else",
        "page.md: the page has no heading #nothing",
    ]


def test_a_heading_inside_code_is_none() -> None:
    assert anchors("# One\n```sh\n# not one\n```\n## Two words\n") == {"one", "two-words"}


def test_blocks_share_their_names(tmp_path: Path) -> None:
    path = page(tmp_path, "```python\nx = 1\n```\ntext\n```python\nassert x == 1\n```\n```sh\nno python\n```\n")
    assert code(path) == "x = 1\n\nassert x == 1\n"
    assert run_code(path, tmp_path) is None


def test_code_that_fails_is_named(tmp_path: Path) -> None:
    problem = run_code(page(tmp_path, "```python\nassert 1 == 2\n```\n"), tmp_path)
    assert problem is not None
    assert problem.startswith("page.md: its code fails")


def test_a_page_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path / "absent.md", page(tmp_path, "# Elsewhere\n")):
        monkeypatch.setattr(sys, "argv", ["documentation", str(path)])
        with pytest.raises(SystemExit, match=f"{path} is no page of {ROOT}"):
            main()
