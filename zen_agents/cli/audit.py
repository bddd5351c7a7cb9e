"""The ledger: verify that it is what was written, or export it.

Examples:
  zen-agents audit verify                           the whole chain, with the engine running or dead
  zen-agents audit export --since 7d > ledger.jsonl
  zen-agents audit export -o csv

Exit: 0 unbroken, 7 broken.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict

from zen_agents.adapters.ledger_audit import Verification, export, verify
from zen_agents.cli.call import FORMATS, Call
from zen_agents.cli.envelope import data, escaped
from zen_agents.cli.render import say
from zen_agents.cli.times import moment_of
from zen_agents.clock import SystemClock

OUTPUTS = (*FORMATS, "csv")
_BROKEN = 7


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `audit` takes."""
    parser.add_argument("verb", choices=("verify", "export"))
    parser.add_argument("--since", metavar="TIME", help="export: only from then on, like 7d or 2026-01-31")
    parser.add_argument("--format", choices=("jsonl", "csv"), help="export: the same as -o (default jsonl)")


def run(call: Call) -> int:
    """Verify, or export."""
    path = call.state_file()
    if call.arguments.verb == "export":
        return _export(call)
    found = verify(path)
    if call.machine:
        data(call, "audit", asdict(found))
    else:
        _tell(call, found)
    return 0 if found.ok else _BROKEN


def _export(call: Call) -> int:
    since = moment_of(call.arguments.since, SystemClock().now().wall) if call.arguments.since else None
    lines = export(
        call.state_file(), since=since, format="csv" if "csv" in (call.arguments.format, call.output) else "jsonl"
    )
    if call.output in ("yaml", "name"):
        data(call, "audit-export", [json.loads(line) for line in lines])
    elif call.output == "json":
        _print_envelope(lines)
    else:
        for line in lines:
            print(escaped(line.rstrip("\r\n")))
    return 0


def _print_envelope(lines: Iterator[str]) -> None:
    """Print the envelope entry by entry: a ledger may be larger than memory."""
    print('{"schema": "zen-agents/audit-export/v1", "items": [')
    for index, line in enumerate(lines):
        print((",\n" if index else "") + escaped(line.rstrip("\n")), end="")
    print("\n]}")


def _tell(call: Call, found: Verification) -> None:
    if not found.ok:
        place = f" at entry {found.broken_seq}" if found.broken_seq is not None else ""
        say(call, f"BROKEN{place}: {found.problem}", paint="BROKEN")
        if found.expected or found.got:
            say(call, f"expected {found.expected}", indent=2)
            say(call, f"found    {found.got}", indent=2)
        say(
            call,
            f"{found.entries} entries before it verify. Keep a copy of {call.state_dir}, and find out who wrote to it.",
            indent=2,
        )
        return
    span = f"{found.first_at.wall:%Y-%m-%d}..{found.last_at.wall:%Y-%m-%d}" if found.first_at and found.last_at else "empty"
    print(f"OK  {found.entries} records, {span}, no gaps, head {found.head[:12]}..")
    if found.dropped_bodies:
        print(f"    retention dropped {found.dropped_bodies} bodies; their hashes are in the chain")
    for id in found.unpaired_intents:
        say(call, f"{id} has no outcome yet", indent=4)
