"""Is it still broken, what did the engine do, what holds it, what comes next.

Exit: 0 healthy, 1 degraded, 3 the engine is not running (what the state says is shown all the same).
"""

from __future__ import annotations

import argparse
import re
import time
from typing import Any

from zen_agents.cli.call import Call
from zen_agents.cli.render import ago, clean, data, next_steps, table
from zen_agents.errors import NotRunningError, UsageError, ZenError

#: How often `--wait` looks (seconds).
_LOOK_EVERY = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `status` takes."""
    parser.add_argument(
        "--wait", metavar="STATE", choices=("healthy", "running"), help="wait until it is healthy or running"
    )
    parser.add_argument("--timeout", metavar="DURATION", default="5m", help="with --wait: give up after this (default 5m)")


def run(call: Call) -> int:
    """Show the status, waiting for one if asked to."""
    if call.arguments.wait:
        return _wait(call)
    try:
        status = call.ask("status")
    except NotRunningError as error:
        return _dead(call, error)
    _show(call, status)
    return 0 if status["health"] == "healthy" else 1


def _wait(call: Call) -> int:
    deadline = time.monotonic() + seconds_of(call.arguments.timeout)
    while time.monotonic() < deadline:
        try:
            status = call.ask("status")
        except NotRunningError:
            status = {"health": "not running"}
        if status["health"] == "healthy" or (call.arguments.wait == "running" and status["health"] != "not running"):
            _show(call, status)
            return 0
        time.sleep(_LOOK_EVERY)
    raise _WaitedLongEnoughError(f"not {call.arguments.wait} within {call.arguments.timeout}: {status['health']}")


class _WaitedLongEnoughError(ZenError):
    """No answer in time."""

    exit_code = 5


def seconds_of(text: str) -> float:
    """Return the seconds of a duration such as 90s, 5m, 2h or 7d."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)", text.strip())
    if match is None:
        raise UsageError(f"{text!r} is no duration: write 90s, 5m, 2h or 7d")
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


def _show(call: Call, status: dict[str, Any]) -> None:
    if call.machine:
        data(call, "status", {key: value for key, value in status.items() if key != "schema"})
        return
    for line in status["abnormal"]:
        print(clean(line))
    print(_headline(status))
    print(_counts(status))
    for warning in status["warnings"]:
        print(f"note: {clean(warning)}")
    if call.arguments.quiet:
        return
    print()
    rows = status["checks"] if call.arguments.verbose else _worth_showing(status["checks"])
    table(call, ("CHECK", "STATE", "SINCE", "VALUE", "LAST ACTION"), [_row(row) for row in rows])
    hidden = len(status["checks"]) - len(rows) + status["checks_more"]
    if hidden:
        print(f"... and {hidden} more, all ok (-v shows them)")
    for agent in status["agents"]:
        if agent["state"] != "running":
            print(f"{agent['name']:28}{agent['state']}")
    if status["incidents_open"]:
        worst = next((row["incident"] for row in status["checks"] if row["incident"]), "@last")
        next_steps(call, f"zen-agents why {worst}", f"zen-agents ack {worst}", "zen-agents pause NAME --for 1h --reason ...")


def _headline(status: dict[str, Any]) -> str:
    mode = status["mode"].upper() + (" (DRY RUN)" if status["dry_run"] else "")
    config, last = status["config"], status["last_tick_seconds_ago"]
    looked = f"last look {ago(last)} ago" if last is not None else "not looked yet"
    return (
        f"{status['host']}  {mode}  up {ago(status['up_seconds'])}  {looked}  "
        f"config {config['digest'][:6]} {config['path']} (loaded {config['loaded_at']})"
    )


def _counts(status: dict[str, Any]) -> str:
    outcomes = ", ".join(f"{count} {kind}" for kind, count in sorted(status["actions_by_outcome"].items()))
    parts = [
        f"{status['incidents_open']} incident{'s' if status['incidents_open'] != 1 else ''} open",
        f"{status['actions_today']} actions today" + (f" ({outcomes})" if outcomes else ""),
        f"repairs {status['repairs_spent']}/{status['repairs_limit']} this hour",
    ]
    if status["pages_undelivered"]:
        parts.append(f"{len(status['pages_undelivered'])} messages not delivered: {clean(status['pages_undelivered'][0])}")
    return " | ".join(parts)


def _worth_showing(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what is not ok and, of the rest, as much as fits a screen."""
    bad = [row for row in rows if row["state"] != "ok"]
    return rows[: max(len(bad), 20)]


def _row(row: dict[str, Any]) -> tuple[object, ...]:
    action = row["last_action"]
    name = row["check"] if row["target"] == "host" else f"{row['check']} ({row['target'].partition(':')[2]})"
    if row["check"].endswith("." + row["target"].partition(":")[2]):
        name = row["check"]
    done = f"{action['id']} {action['action']} {action['outcome']}" if action else "-"
    return name, row["state"], ago(row["since_seconds"]), row["value"][:60] or "-", done


def _dead(call: Call, error: NotRunningError) -> int:
    """Say that nobody watches, and what the state still tells."""
    store = call.store()
    live = [incident for incident in store.live_incidents() if incident.opened_at]
    last = store.actions(limit=5)
    flag = call.state_dir / "EMERGENCY_STOP"
    if call.machine:
        body = {
            "health": "not running", "abnormal": ["ENGINE NOT RUNNING"], "incidents_open": len(live),
            "emergency_stop": flag.exists(), "last_actions": [row.id for row in last],
        }  # fmt: skip
        data(call, "status", body)
        return error.exit_code
    print(f"ENGINE NOT RUNNING on {call.state_dir}: nobody watches this host. Start it with: zen-agents run")
    if flag.exists():
        print("EMERGENCY STOP is set: also a started engine changes nothing. zen-agents resume --help")
    print(f"{len(live)} incidents were open when it ended")
    for row in last:
        print(f"  {row.id}  {call.clock(row.reserved_at.wall)}  {row.action} {row.target} -> {row.kind.value}")
    return error.exit_code
