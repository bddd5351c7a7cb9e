"""The manual: zen-agents(1), a page for each command, and zen-agents-config(5) about the configuration.

Examples:
  zen-agents man why | man -l -                     one page, without installing it
  zen-agents man config.5 | man -l -                every key of the configuration
  zen-agents man --to /usr/local/share/man          writes all of them, for `man zen-agents-why`
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.man_pages import man_pages
from zen_agents.cli.parsing import meant
from zen_agents.cli.render import note, plural
from zen_agents.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `man` takes."""
    parser.add_argument("page", nargs="?", help="a command, or config.5; without it zen-agents(1)")
    parser.add_argument("--to", metavar="DIR", help="write all pages below this, into man1 and man5")


def run(call: Call) -> int:
    """Print one page, or write all."""
    pages = man_pages()
    if call.arguments.to:
        return _write(call, Path(call.arguments.to), pages)
    name = _found(call.arguments.page, pages)
    if call.machine:
        data(call, "man", {"name": name, "text": pages[name]})
    else:
        print(pages[name], end="")
    return 0


def _found(wanted: str | None, pages: Mapping[str, str]) -> str:
    if wanted is None:
        return "zen-agents.1"
    for name in (f"zen-agents-{wanted}.1", f"zen-agents-{wanted}", wanted, f"{wanted}.1"):
        if name in pages:
            return name
    known = [name.removeprefix("zen-agents-").removesuffix(".1") for name in pages]
    raise UsageError(f"there is no page {wanted!r}{meant(wanted, known)}; see: zen-agents --help")


def _write(call: Call, folder: Path, pages: Mapping[str, str]) -> int:
    if call.arguments.page:
        raise UsageError("--to writes all pages; name none")
    for name, text in pages.items():
        place = folder / f"man{name[-1]}"
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
    if call.machine:
        data(call, "man", [{"name": name, "path": str(folder / f"man{name[-1]}" / name)} for name in pages])
    else:
        note(f"wrote {plural(len(pages), 'page')} below {folder}; read them with: man zen-agents")
    return 0
