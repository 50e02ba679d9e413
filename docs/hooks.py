"""What the book is made with besides its pages: README as the first one, drawn figures, links into code."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s#]+)(#[^)\s]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add to the navigation what it does not name: a page that nobody can find is not written."""
    docs = ROOT / "docs"
    named = set(_named(config.nav))
    pages = sorted(page.relative_to(docs).as_posix() for page in docs.rglob("*.md"))
    more = [page for page in pages if page not in named and not page.startswith("adr/")]
    decisions = [page for page in pages if page.startswith("adr/")]
    config.nav = [*(config.nav or []), *([{"More": more}] if more else []), {"Decisions": decisions}]
    return config


def _named(nav: Any) -> Iterator[str]:  # noqa: ANN401 - what YAML holds
    if isinstance(nav, str):
        yield nav
    for part in nav.values() if isinstance(nav, dict) else nav if isinstance(nav, list) else ():
        yield from _named(part)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the figures, drawn now."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from benchmarks.draw import FIGURES, drawn

    for name in FIGURES:
        files.append(File.generated(config, f"figures/{name}", content=drawn(name)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:  # noqa: ANN401 - as mkdocs calls it
    """README in place of the first page; a link to what is no page becomes a name: the book is read without code."""
    source = ROOT / "docs" / page.file.src_uri
    if page.file.src_uri == "index.md":
        markdown, source = (ROOT / "README.md").read_text(encoding="utf-8"), ROOT / "README.md"
    if page.file.src_uri == "changelog.md":
        markdown, source = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), ROOT / "CHANGELOG.md"
    return _LINK.sub(lambda link: _linked(link, source, page), markdown)


def _linked(link: re.Match[str], source: Path, page: Page) -> str:
    text, target, anchor = link[1], link[2], link[3] or ""
    image = link.start() > 0 and link.string[link.start() - 1] == "!"
    if image or "://" in target or target.startswith(("mailto:", "figures/")):
        return link[0]
    found = (source.parent / target).resolve()
    docs = ROOT / "docs"
    if found.is_relative_to(docs) and found.suffix in {".md", ".svg", ".png"} and found.is_file():
        here = (docs / page.file.src_uri).parent
        return f"[{text}]({Path(os.path.relpath(found, here)).as_posix()}{anchor})"
    return text if text.startswith("`") else f"`{text}`"
