"""The page that says what to do, without a network: of a rule, an incident, a target, or a state of the engine.

Examples:
  zen-agents runbook                                all pages
  zen-agents runbook disk.filling                   the page of a built-in rule; also safe-mode, breaker-open, ...
  zen-agents runbook inc-4k2p                       the page of what is wrong there; also: @last, web, service:web
"""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

import zen_agents
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.parsing import meant
from zen_agents.cli.render import note, say, table, width_of
from zen_agents.errors import UsageError, ZenError
from zen_agents.model.address import is_address_target

#: Kinds of target that are listed by name: they share the page of their kind.
_LISTED = frozenset(
    {
        "service",
        "path",
        "temp_dir",
        "log",
        "cache",
        "process",
        "job",
        "log_rate",
        "log_archives",
        "mount",
        "resolver",
        "connection",
        "link",
        "certificate",
        "pool",
        "script",
        "packages",
    }
)
#: Kinds that share the page of another one.
_AS = {"environment": "packages", "project": "packages"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `runbook` takes."""
    parser.add_argument("name", nargs="?", help="a page, a rule, a target, an incident, or @last; without it all pages")


def page_of(rule: str, target: str) -> str:
    """Return which page belongs to a built-in rule about a target (`KIND:NAME`)."""
    kind, _, name = target.partition(":")
    kind, label = _AS.get(kind, kind), rule.partition(".")[2]
    if kind == "dataset":
        return kind
    if is_address_target(target):
        return label.partition(".")[0]
    return (label.replace(name, kind, 1) if kind in _LISTED else label).removesuffix(".critical")


def run(call: Call) -> int:
    """Print the page, or the list of pages."""
    pages = {path.stem: path for path in sorted(_folder().glob("*.md")) if path.stem != "index"}
    name = call.arguments.name
    if name is None:
        return _list(call, pages)
    found = name if name in pages else page_of(name, "") if page_of(name, "") in pages else _of_incident(call, name)
    if found not in pages:
        raise UsageError(f"there is no runbook {name!r}{meant(name, pages)}; see: zen-agents runbook")
    text = pages[found].read_text(encoding="utf-8")
    if call.machine:
        data(call, "runbook", {"name": found, "title": _title(text), "text": text})
    else:
        _show(call, text.rstrip("\n"))
    return 0


def _show(call: Call, text: str) -> None:
    """Print a page; on a terminal its paragraphs and the rows of its tables are broken where the terminal ends."""
    if width_of(call) is None:
        print(text)
        return
    for number, block in enumerate(text.split("\n\n")):
        if number:
            print()
        lines = block.splitlines()
        for line in lines if block.startswith("|") else [" ".join(lines)]:
            say(call, line, hang=2 if block.startswith("|") else 0)


def _folder() -> Path:
    """Return where the pages are: in the installed package, or in the checkout that it runs from."""
    package = Path(zen_agents.__file__).parent
    installed = package / "runbooks"
    return installed if installed.is_dir() else package.parent / "docs" / "runbooks"


def _list(call: Call, pages: dict[str, Path]) -> int:
    titles = {name: _title(path.read_text(encoding="utf-8")) for name, path in pages.items()}
    if call.machine:
        data(call, "runbook", [{"name": name, "title": title} for name, title in titles.items()])
    elif titles:
        table(call, ("NAME", "TITLE"), list(titles.items()))
    else:
        note("no runbooks were installed")
    return 0


def _title(text: str) -> str:
    return text.partition("\n")[0].lstrip("# ")


def _of_incident(call: Call, name: str) -> str:
    """Return the page of the newest incident that is called so, "" if the state has none."""
    # Without a state, or with one that cannot be read, the pages themselves are still there.
    with contextlib.suppress(ZenError):
        for incident in call.store().incidents(limit=1000):
            names = (incident.rule, incident.rule.partition(".")[2], incident.target, incident.target.partition(":")[2])
            if name in ("@last", *names) or (name.startswith("inc-") and incident.id.startswith(name)):
                return page_of(incident.rule, incident.target)
    return ""
