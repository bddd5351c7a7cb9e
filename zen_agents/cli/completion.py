"""Completion for a shell: commands, flags, their values, and the ids that there are now.

Examples:
  zen-agents completion bash > /etc/bash_completion.d/zen-agents
  zen-agents completion zsh > "${fpath[1]}/_zen-agents"
  zen-agents completion fish > ~/.config/fish/completions/zen-agents.fish

The scripts ask `zen-agents completion ids KIND...` for ids (inc, act, dec, apr; newest first), breakers (brk) and what is
watched (names: targets, rules, agents), each with what it is about. That reads the state, also of a dead engine, and has
200 ms: then it says nothing.
"""

from __future__ import annotations

import argparse
import re
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.errors import UsageError, ZenError

if TYPE_CHECKING:
    from zen_agents.adapters.sqlite_store import SqliteStore

#: Nobody waits longer for a Tab (seconds).
ANSWER_WITHIN = 0.2
#: Ids of one kind that are offered.
_MOST = 50
_KINDS = ("inc", "act", "dec", "apr", "brk", "names")
_LONGEST = 60
#: What needs no quoting in any shell; a name with anything else is not offered.
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*")
#: Names that are offered, and incidents that tell of rules.
_MOST_NAMES = 500


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `completion` takes."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish", "ids"), help="which shell; ids: what the scripts ask for")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"with ids: {', '.join(_KINDS)}")


def run(call: Call) -> int:
    """Print a script, or ids."""
    wanted = call.arguments
    if wanted.shell == "ids":
        return _ids(call, wanted.kinds)
    if wanted.kinds:
        raise UsageError("a KIND is given with ids only")
    from zen_agents.cli.completion_scripts import SCRIPTS  # noqa: PLC0415  who asks for ids must not wait for it

    script = SCRIPTS[wanted.shell]()
    if call.machine:
        data(call, "completion", {"name": wanted.shell, "script": script})
    else:
        print(script, end="")
    return 0


def _ids(call: Call, kinds: Sequence[str]) -> int:
    for kind in kinds:
        if kind not in _KINDS:
            raise UsageError(f"there is no kind {kind!r}; there are: {', '.join(_KINDS)}")
    # The default of the signal ends the process wherever it waits, also within the database; nothing is printed by then.
    before = signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, ANSWER_WITHIN)
    try:
        lines = list(_found(call.store(), kinds))
    except ZenError:
        # A shell that completes has no place for an error: it offers nothing.
        return 0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    if call.machine:
        data(call, "completion", [{"id": id, "about": text} for id, text in lines])
    else:
        print("".join(f"{id}\t{_short(text)}\n" for id, text in lines), end="")
    return 0


def _found(store: SqliteStore, kinds: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield ids and names with what they are about; ids are our own, what they are about is anybody's text."""
    for kind in kinds:
        yield from _OF_KIND[kind](store)


def _incidents(store: SqliteStore) -> Iterator[tuple[str, str]]:
    for incident in store.incidents(limit=_MOST):
        yield incident.id, f"{incident.target} {incident.state.value}: {incident.detail}"


def _actions(store: SqliteStore) -> Iterator[tuple[str, str]]:
    for row in store.actions(limit=_MOST):
        yield row.id, f"{row.action} {row.target} {row.kind.value}"


def _decisions(store: SqliteStore) -> Iterator[tuple[str, str]]:
    from zen_agents.model.entry import EntryKind  # noqa: PLC0415

    for entry in store.entries(kinds=[EntryKind.DECISION], limit=_MOST, newest_first=True):
        facts = entry.entry.body
        yield entry.entry.id, f"{facts.get('target')} {facts.get('outcome')}: {facts.get('reason')}"


def _approvals(store: SqliteStore) -> Iterator[tuple[str, str]]:
    for asked in store.approvals(limit=_MOST):
        yield asked.id, f"{asked.action} {asked.target} {asked.state.value}"


def _breakers(store: SqliteStore) -> Iterator[tuple[str, str]]:
    for row in store.breakers():
        yield row.name, f"{row.state}, {row.failures} failures"


def _names(store: SqliteStore) -> Iterator[tuple[str, str]]:
    """Yield targets that are watched, by their name in the configuration, and the rules and agents that had an incident."""
    found: dict[str, str] = {}
    for _, target in store.recorded_series():
        kind, _, name = target.partition(":")
        found.setdefault(name, kind)
    for incident in store.incidents(limit=_MOST_NAMES):
        found.setdefault(incident.rule, "rule")
        found.setdefault(incident.agent, "agent")
    plain = [(name, kind) for name, kind in found.items() if _PLAIN.fullmatch(name)]
    yield from sorted(plain)[:_MOST_NAMES]


_OF_KIND: Mapping[str, Callable[[SqliteStore], Iterator[tuple[str, str]]]] = {
    "inc": _incidents, "act": _actions, "dec": _decisions, "apr": _approvals, "brk": _breakers, "names": _names,
}  # fmt: skip


def _short(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)[:_LONGEST]
