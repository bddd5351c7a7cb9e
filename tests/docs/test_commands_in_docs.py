"""What a reader is told to type works, and shows what the page says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.doc_blocks import ROOT, Sandbox, blocks, pages


def _runs(page: Path) -> bool:
    return any(block.language == "sh" and "test" in block.words for block in blocks(page))


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    made = Sandbox(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("page", [page for page in pages() if _runs(page)], ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_a_page_work_in_order(page: Path, sandbox: Sandbox) -> None:
    ran = 0
    for block in blocks(page):
        if block.language == "sh" and "background" in block.words:
            sandbox.run_in_background(block)
        elif block.language == "sh" and "test" in block.words:
            sandbox.run(block)
            ran += 1
        elif "as" in block.words:
            sandbox.write(block)
    assert ran > 0


def test_the_first_screen_shows_the_two_commands_first() -> None:
    first = next(block for block in blocks(ROOT / "README.md"))

    assert [line.split()[0] for line in first.text.splitlines()] == ["./scripts/start.sh", "./scripts/test.sh"]
    assert first.line < 12
