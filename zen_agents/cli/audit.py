"""The ledger: verify that it is what was written, follow it, or take it elsewhere.

Examples:
  zen-agents audit verify                           the whole chain, with the engine running or dead
  zen-agents audit verify --key web1.pub            as signed by the host of this key, not by whoever has the file now
  zen-agents audit verify --against heads.txt       nothing is missing of what was there when these heads were kept
  zen-agents audit key > web1.pub                   the public key, to be kept elsewhere
  zen-agents audit tail --last 20 --follow -o jsonl  each entry as it is written, one object a line
  zen-agents audit export --since 7d > ledger.jsonl
  zen-agents audit export -o csv

Exit: 0 unbroken, 7 broken.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from zen_agents.adapters.audit_key import PUBLIC_KEYS, PublicKeys
from zen_agents.adapters.ledger_audit import Verification, export, verify
from zen_agents.adapters.ledger_heads import Head, heads_in
from zen_agents.cli.call import FORMATS, Call
from zen_agents.cli.envelope import data, escaped
from zen_agents.cli.listing import follow
from zen_agents.cli.parsing import positive
from zen_agents.cli.render import plural, say
from zen_agents.cli.times import moment_of
from zen_agents.clock import SystemClock
from zen_agents.errors import UsageError

OUTPUTS = (*FORMATS, "csv")
_BROKEN = 7
#: Entries that `tail` begins with.
_LAST = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `audit` takes."""
    parser.add_argument("verb", choices=("verify", "key", "tail", "export"))
    parser.add_argument(
        "--key", metavar="FILE", help="verify: public keys whose signatures count (default: the state's own)"
    )
    parser.add_argument(
        "--against", metavar="FILE|SEQ:HASH", help="verify: heads kept elsewhere, one or a text that holds some"
    )
    parser.add_argument(
        "--last", metavar="N", type=positive, default=_LAST, help=f"tail: how many to begin with (default {_LAST})"
    )
    parser.add_argument("-f", "--follow", action="store_true", help="tail: go on with what is written, until Ctrl-C")
    parser.add_argument("--since", metavar="TIME", help="export: only from then on, like 7d or 2026-01-31")
    parser.add_argument("--format", choices=("jsonl", "csv"), help="export: the same as -o (default jsonl)")


def run(call: Call) -> int:
    """Verify, show the key, follow, or export."""
    verbs = {"verify": _verify, "key": _key, "tail": _tail, "export": _export}
    return verbs[call.arguments.verb](call)


def _verify(call: Call) -> int:
    keys, against = _keys(call), _heads(call.arguments.against)
    found = verify(call.state_file(), keys=keys, against=against)
    if call.machine:
        data(call, "audit", asdict(found))
    else:
        _tell(call, found)
        if found.ok and against:
            print(f"    agrees with {plural(len(against), 'head')} kept elsewhere, up to entry {against[-1].seq}")
    return 0 if found.ok else _BROKEN


def _keys(call: Call) -> PublicKeys | None:
    """Return the keys that count; None if this state has none and none is named."""
    if call.arguments.key:
        return PublicKeys.read(Path(call.arguments.key))
    own = call.state_dir / PUBLIC_KEYS
    return PublicKeys.read(own) if own.exists() else None


def _heads(named: str | None) -> list[Head]:
    if named is None:
        return []
    path = Path(named)
    try:
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else named
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    heads = heads_in(text)
    if not heads:
        raise UsageError(f"{named!r} is no file, or holds no head; a head looks like 812:7c1e... with 64 hexadecimal digits")
    return heads


def _key(call: Call) -> int:
    path = call.state_file().with_name(PUBLIC_KEYS)
    if not path.exists():
        raise UsageError(
            f"there is no {path}: the ledger is not signed yet; an engine of this version signs it from its start on"
        )
    keys = PublicKeys.read(path)
    if call.machine:
        lines = keys.text.splitlines()
        data(call, "audit-key", [{"id": id, "key": line} for id, line in zip(keys.by_id, lines, strict=True)])
    else:
        print(keys.text, end="")
    return 0


def _tail(call: Call) -> int:
    """Print the last entries, and go on, one a line, if that was asked for."""
    if call.output in ("yaml", "csv", "name") or (call.output == "json" and call.arguments.follow):
        raise UsageError(f"what is followed is one object a line, so it cannot be -o {call.output}; use -o jsonl")
    path, store = call.state_file(), call.store()
    after = max(0, store.head()[0] - call.arguments.last)
    store.close()
    if call.output == "json":
        _print_envelope(export(path, after=after))
        return 0

    def more() -> None:
        nonlocal after
        for line in export(path, after=after):
            entry = json.loads(line)
            after = entry["seq"]
            if call.machine:
                print(escaped(line.rstrip("\n")))
            else:
                said = f"{entry['seq']:>6}  {entry['hash'][:12]}  {entry['at'][:19]}  {entry['kind']:9}"
                say(call, f"{said} {entry['id']} by {entry['actor']}", hang=8)
        # A pipe gets each line when it is there.
        print(end="", flush=True)

    more()
    if call.arguments.follow:
        follow(more)
    return 0


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
        _tell_broken(call, found)
        return
    span = f"{found.first_at.wall:%Y-%m-%d}..{found.last_at.wall:%Y-%m-%d}" if found.first_at and found.last_at else "empty"
    print(f"OK  {found.entries} records, {span}, no gaps, head {found.head[:12]}..")
    if found.checkpoints:
        signed = f"signed up to entry {found.signed_to} by key {', '.join(found.signed_by)}"
        print(
            f"    {signed}" if found.signatures_checked else f"    says it is {signed}, which nothing shows: give --key FILE"
        )
    if found.dropped_bodies:
        print(f"    retention dropped {found.dropped_bodies} bodies; their hashes are in the chain")
    for id in found.unpaired_intents:
        say(call, f"{id} has no outcome yet", indent=4)


def _tell_broken(call: Call, found: Verification) -> None:
    place = f" at entry {found.broken_seq}" if found.broken_seq is not None else ""
    say(call, f"BROKEN{place}: {found.problem}", paint="BROKEN")
    if found.expected or found.got:
        say(call, f"expected {found.expected}", indent=2)
        say(call, f"found    {found.got}", indent=2)
    advice = f"Keep a copy of {call.state_dir}, and find out who wrote to it."
    say(call, f"The hashes of {found.entries} entries, from the first on, are right. {advice}", indent=2)
