"""What a reader is told to type works, and shows what the page says."""

from __future__ import annotations

import argparse
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.doc_blocks import ROOT, Sandbox, blocks, pages
from zen_agents.cli.main import COMMANDS
from zen_agents.cli.parsing import add_common


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


def _shown() -> Iterator[tuple[str, str]]:
    """Yield every command line that a page shows, in a block or in its text, with the page's name."""
    for page in pages():
        if page.parent.name == "reference":
            continue
        lines = [line for block in blocks(page) if block.language == "sh" for line in block.text.splitlines()]
        lines += re.findall(r"`((?:sudo )?zen-agents [^`]+)`", page.read_text("utf-8"))
        for line in lines:
            for found in re.finditer(r"zen-agents ([a-z-]+[^|&;()#`]*)", line.split("  #")[0]):
                yield f"{page.relative_to(ROOT)}: {found[0]}", found[1]


@pytest.mark.parametrize("line", [line for _, line in _shown()], ids=[name for name, _ in _shown()])
def test_a_command_that_is_shown_exists_with_its_flags(line: str) -> None:
    name, *arguments = line.replace('"', " ").replace("'", " ").split()

    assert name in COMMANDS
    parser = argparse.ArgumentParser(conflict_handler="resolve")
    add_common(parser)
    importlib.import_module(f"zen_agents.cli.{COMMANDS[name].module}").add_arguments(parser)
    known = {flag for action in parser._actions for flag in action.option_strings}
    assert {word.partition("=")[0] for word in arguments if re.match(r"--?[a-z]", word)} <= known
