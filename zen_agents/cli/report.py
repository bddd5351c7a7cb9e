"""What came of it: incidents, proof of fix by rule, what is repaired again and again, objectives, and who did what.

Examples:
  zen-agents report                              the last week
  zen-agents report --since 30d --out report.html
  zen-agents report --since 2026-11-01 --until 2026-12-01 -o json

Reads the state, and `slo:` of the configuration for the objectives: works with the engine dead. A share stands with its
counts and its 95 % interval; of fewer than ten nothing is judged. One HTML page, with nothing from elsewhere.
"""

from __future__ import annotations

import argparse
import importlib
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from zen_agents.cli.call import FORMATS, Call
from zen_agents.cli.envelope import data
from zen_agents.cli.out_file import format_by_ending, print_into
from zen_agents.cli.render import next_steps, note, say, table
from zen_agents.cli.times import moment_of
from zen_agents.errors import UsageError
from zen_agents.report.figures import Report
from zen_agents.report.measures import measure
from zen_agents.report.objectives import USUAL, Target
from zen_agents.report.rate import Rate
from zen_agents.report.recorded import read
from zen_agents.report.wording import CUT, brief_rate, headline, tables, title
from zen_agents.settings.finding import find_config

OUTPUTS = (*FORMATS, "md", "html")
_PAGES = {"md": "markdown", "html": "page"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `report` takes."""
    parser.add_argument("--since", metavar="TIME", default="7d", help="1h, 30d, yesterday or ISO (default 7d)")
    parser.add_argument("--until", metavar="TIME", default="now", help="the same; only what began before (default now)")
    parser.add_argument(
        "--out", metavar="FILE", help="write it there, whole or not at all; -o or its ending says in which form"
    )


def run(call: Call) -> int:
    """Read, count and print."""
    out = Path(call.arguments.out) if call.arguments.out is not None else None
    if out is not None and call.output == "table":
        call.output = format_by_ending(out, OUTPUTS)
    store = call.store()
    now = call.now(store)
    since, until = (moment_of(text, now.wall) for text in (call.arguments.since, call.arguments.until))
    if until <= since:
        raise UsageError(f"--until {call.arguments.until} is not later than --since {call.arguments.since}")
    report, host = measure(read(store, since, until, now), _targets(call)), store.get("host_name") or socket.gethostname()
    if out is None:
        _print(call, report, host)
    else:
        print_into(out, lambda: _print(call, report, host))
        note(f"wrote {out}")
    return 0


def _print(call: Call, report: Report, host: str) -> None:
    if call.machine:
        data(call, "report", {"host": host, **_plain(report)})
    elif call.output in _PAGES:
        # Only one of them is needed, and not often.
        page = importlib.import_module(f"zen_agents.report.{_PAGES[call.output]}")
        sys.stdout.write(page.render(report, host))
    else:
        _show(call, report, host)


def _targets(call: Call) -> Sequence[Target]:
    """Return what the configuration holds remediation to; the usual targets, with a word, if it cannot be read."""
    path = find_config(call.arguments.config or "", os.environ, os.geteuid())
    if path is None:
        return USUAL
    from zen_agents.report.targets import targets_of  # noqa: PLC0415  with all settings, for whoever has some
    from zen_agents.settings.loader import load  # noqa: PLC0415

    settings = load([path], os.environ).settings
    if settings is None:
        note(f"{path} is not valid, so the usual objectives are judged; see: zen-agents check-config")
        return USUAL
    return targets_of(settings.slo)


def _show(call: Call, report: Report, host: str) -> None:
    say(call, title(report, host))
    if report.is_cut:
        say(call, CUT)
    for name, value in headline(report):
        say(call, f"{name:24} {value}", indent=2, hang=25)
    for heading, heads, rows in tables(report, brief_rate):
        say(call, "")
        say(call, heading)
        if rows:
            names = [head.upper() for head in heads]
            table(call, names, rows, spare=names[:1:-1], whole=names)
        else:
            say(call, "none", indent=2)
    if report.debts:
        next_steps(call, f"zen-agents incidents --target {report.debts[0].target}", "zen-agents report --out report.html")


def _plain(value: Any) -> Any:
    """Return a figure as plain JSON; a rate has its share and its 95 % interval with it."""
    if isinstance(value, Rate):
        low, high = value.interval
        return {"times": value.times, "of": value.of, "share": value.share, "low": low, "high": high, "few": value.is_few}
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, datetime):
        return value.isoformat()
    return [_plain(one) for one in value] if isinstance(value, Sequence) and not isinstance(value, str) else value
