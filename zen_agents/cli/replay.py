"""What a configuration would have decided in the recorded past, beside what was decided. Changes nothing and writes nothing.

Examples:
  zen-agents replay --since 7d --config new.yaml    what would be decided otherwise
  zen-agents replay --since yesterday --agent system_health
  zen-agents replay -v                              every decision of the replay, not the differences alone

Exit: 0 the same was decided, 10 decisions differ, 2 nothing was recorded in that time, 78 the configuration is not valid.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Iterator
from typing import Any

from zen_agents.cli.answers import sentence
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.listing import steady_of
from zen_agents.cli.options import add_run_options, options_of
from zen_agents.cli.render import flow, plural, say
from zen_agents.cli.times import ago, moment_of
from zen_agents.clock import Instant
from zen_agents.errors import UsageError
from zen_agents.rehearsal.difference import Difference
from zen_agents.rehearsal.past import ReplayReport, replay
from zen_agents.rehearsal.replayed_decisions import Decided, Episode

_DECISIONS_DIFFER = 10
#: Lines of one kind that are shown without -v.
_SHOWN = 20
_WORDS = {"act": "act", "ask": "ask people first", "alert": "tell people", "skip": "be refused"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `replay` takes."""
    add_run_options(parser, dry_run=False)
    parser.add_argument("--since", metavar="TIME", default="7d", help="1h, -2h, 03:10, yesterday or ISO (default 7d)")


def run(call: Call) -> int:
    """Replay and print."""
    store = call.store()
    now = call.now(store)
    since = moment_of(call.arguments.since, now.wall)
    if since >= now.wall:
        raise UsageError(f"--since {call.arguments.since} is not in the past")
    # A million samples, and no circle among them: looking for garbage again and again is a sixth of the time.
    gc.disable()
    try:
        report = replay(options_of(call), store, now, Instant(since, steady_of(since, now)))
    finally:
        gc.enable()
    if call.machine:
        data(call, "replay", _body(report))
    else:
        _show(call, report)
    return _DECISIONS_DIFFER if report.differences else 0


# -- for people -------------------------------------------------------------------------------------------------------
def _show(call: Call, report: ReplayReport) -> None:
    span = f"{call.clock(report.since)} to {call.clock(report.until)}"
    flow(call, ("REPLAY", f"host {report.host}", span, f"config {', '.join(report.config)}"), "  ")
    for line in _unknown(call, report):
        say(call, f"not judged: {line}", hang=2)
    if not call.arguments.quiet:
        print()
        rows = [_decided_row(call, one) for one in report.decided] if call.arguments.verbose else []
        rows = rows or [_difference_row(call, one) for one in report.differences]
        _lines(call, rows)
        if report.cleared_alone:
            print("\nCleared with nobody acting:")
            _lines(call, [_episode_row(call, one) for one in report.cleared_alone])
        print()
    _sum_up(report)


def _unknown(call: Call, report: ReplayReport) -> Iterator[str]:
    for gap in report.gaps:
        span = f"{call.clock(gap.since.wall)} to {call.clock(gap.until.wall)} ({ago(gap.seconds)})"
        yield f"{span}: nothing was recorded; what goes on over it is judged anew"
    if report.unjudged:
        named = ", ".join(report.unjudged[:_SHOWN])
        more = f" and {len(report.unjudged) - _SHOWN} more" if len(report.unjudged) > _SHOWN else ""
        yield f"{named}{more}: what they read was never recorded here"


def _lines(call: Call, rows: list[str]) -> None:
    shown = rows if call.arguments.verbose else rows[:_SHOWN]
    for row in shown:
        say(call, row, indent=2, hang=4)
    if hidden := len(rows) - len(shown):
        print(f"  ... and {hidden} more (-v shows them)")


def _difference_row(call: Call, found: Difference) -> str:
    said = {"+": "would now", "-": "would no longer", "~": "would now"}[found.sign]
    then = f" (then: {_words(found.then)})" if found.now is not None and found.then is not None else ""
    one = found.decided
    return f"{found.sign} {call.clock(one.at.wall)}  {one.rule} on {one.target}: {said} {_words(one)}{then}"


def _decided_row(call: Call, one: Decided) -> str:
    return f"{call.clock(one.at.wall)}  {one.rule} on {one.target}: would {_words(one)}"


def _words(one: Decided) -> str:
    why = "" if one.outcome == "act" else f": {one.reason} - {sentence(one.reason)}".rstrip(" -")
    return " ".join(filter(None, (_WORDS[one.outcome], one.action))) + why


def _episode_row(call: Call, one: Episode) -> str:
    lasted = ago((one.ended - one.began).total_seconds()) if one.ended else "-"
    return f"{call.clock(one.began)}  {one.rule} on {one.target}, after {lasted}{', people were told' if one.told else ''}"


def _sum_up(report: ReplayReport) -> None:
    limits = ", ".join(f"{reason} {times}" for reason, times in report.limits.most_common())
    print(
        f"{plural(len(report.episodes), 'incident')} in {ago(report.judged_seconds)} that were judged: "
        f"{plural(report.count('act'), 'action')}, {plural(report.count('alert'), 'alert')}, "
        f"{plural(report.count('ask'), 'question')}; {len(report.cleared_alone)} cleared with nobody acting."
    )
    if limits:
        print(f"Refused: {limits}.")
    signs = [found.sign for found in report.differences]
    print(f"Replay: {signs.count('+')} new, {signs.count('-')} gone, {signs.count('~')} otherwise than was decided then.")


# -- for programs -----------------------------------------------------------------------------------------------------
def _body(report: ReplayReport) -> dict[str, Any]:
    return {
        "host": report.host, "config": list(report.config), "since": report.since.isoformat(),
        "until": report.until.isoformat(), "judged_seconds": round(report.judged_seconds, 3),
        "gaps": [{"since": gap.since.wall.isoformat(), "until": gap.until.wall.isoformat()} for gap in report.gaps],
        "unjudged": list(report.unjudged), "refused": dict(report.limits),
        "decisions": [_decided_body(one) for one in report.decided],
        "incidents": [
            {"rule": one.rule, "target": one.target, "began": one.began.isoformat(),
             "ended": one.ended.isoformat() if one.ended else None, "actions": one.actions, "told": one.told}
            for one in report.episodes
        ],
        "differences": [
            {"sign": found.sign, "now": _decided_body(found.now), "then": _decided_body(found.then)}
            for found in report.differences
        ],
    }  # fmt: skip


def _decided_body(one: Decided | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {"at": one.at.wall.isoformat(), "rule": one.rule, "target": one.target, "outcome": one.outcome,
            "reason": one.reason, "action": one.action or None}  # fmt: skip
