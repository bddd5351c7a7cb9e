"""Links lead somewhere, and pages speak of the project alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.doc_blocks import ROOT, pages

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_PAGES = pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))


def _prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"^(`{3,}).*?^\1[ ]*$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page as they are made of its headings."""
    headings = re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"\[(.*?)\]\(.*?\)", r"\1", text).lower()).replace(" ", "-") for text in headings}


@_PAGES
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(_prose(page)):
        path, _, anchor = link.partition("#")
        if re.match(r"https?://", link):
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), f"{link} leads nowhere"
        assert target.is_relative_to(ROOT), f"{link} leads out of the project"
        if anchor:
            assert anchor in _anchors(target), f"{link}: no such heading"


@_PAGES
def test_a_page_has_one_title_and_speaks_of_no_machine(page: Path) -> None:
    prose, text = _prose(page), page.read_text("utf-8")

    assert len(re.findall(r"^# ", prose, re.MULTILINE)) == 1
    assert not re.search(r"(?<![\w.])/(work|root|tmp|home)/|index-url|pypi\.|artifactory|nexus", text)


def test_every_page_can_be_reached_from_the_first() -> None:
    seen, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        links = (link.partition("#")[0] for link in _LINK.findall(_prose(page)) if not link.startswith("http"))
        ahead += [(page.parent / link).resolve() for link in links if link]

    assert set(pages()) - seen == set()
