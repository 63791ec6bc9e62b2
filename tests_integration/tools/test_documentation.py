from __future__ import annotations

from pathlib import Path

from tools.documentation import anchors, broken_links, code, run_code


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
