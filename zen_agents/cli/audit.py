"""The ledger: audit verify | audit export [--since 7d] [--format jsonl|csv].

`verify` reads the whole chain, with the engine running or dead. Exit: 0 unbroken, 7 broken.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict

from zen_agents.adapters.ledger_audit import Verification, export, verify
from zen_agents.cli.call import Call
from zen_agents.cli.listing import since_wall
from zen_agents.cli.render import data
from zen_agents.clock import SystemClock
from zen_agents.errors import NotRunningError

_BROKEN = 7


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `audit` takes."""
    parser.add_argument("verb", choices=("verify", "export"))
    parser.add_argument("--since", metavar="TIME", help="export: only from then on")
    parser.add_argument("--format", choices=("jsonl", "csv"), default="jsonl", help="export: how (default jsonl)")


def run(call: Call) -> int:
    """Verify, or export."""
    path = call.state_dir / "state.db"
    if not path.exists():
        raise NotRunningError(f"there is no state in {call.state_dir} yet")
    if call.arguments.verb == "export":
        since = since_wall(call.arguments.since, SystemClock().now().wall) if call.arguments.since else None
        for line in export(path, since=since, format=call.arguments.format):
            print(line)
        return 0
    found = verify(path)
    if call.machine:
        data(call, "audit", asdict(found))
    else:
        _tell(found)
    return 0 if found.ok else _BROKEN


def _tell(found: Verification) -> None:
    if not found.ok:
        place = f" at entry {found.broken_seq}" if found.broken_seq is not None else ""
        print(f"BROKEN{place}: {found.problem}")
        if found.expected or found.got:
            print(f"  expected {found.expected}\n  found    {found.got}")
        print(f"  {found.entries} entries before it verify; keep a copy of the state and find out who wrote to it")
        return
    span = f"{found.first_at.wall:%Y-%m-%d}..{found.last_at.wall:%Y-%m-%d}" if found.first_at and found.last_at else "empty"
    print(f"OK  {found.entries} records, {span}, no gaps, head {found.head[:12]}..")
    for id in found.unpaired_intents:
        print(f"  {id} has no outcome yet")
