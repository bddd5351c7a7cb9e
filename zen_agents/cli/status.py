"""Is it still broken, what did the engine do, what holds it, what comes next.

Examples:
  zen-agents status                                 what is wrong stands on the first line
  zen-agents status -q                              without the table; -v: every check
  zen-agents status --wait healthy --timeout 2m     for scripts

Exit: 0 healthy, 1 degraded, 3 the engine is not running (what the state says is shown all the same), 5 --wait was in vain.
"""

from __future__ import annotations

import argparse
import socket
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from zen_agents.cli.call import Call, living_engine
from zen_agents.cli.envelope import data
from zen_agents.cli.looks import in_words
from zen_agents.cli.render import fits, flow, next_steps, plural, say, table
from zen_agents.cli.times import ago, seconds_of
from zen_agents.errors import NotRunningError, StoreError, ZenError

if TYPE_CHECKING:
    from zen_agents.adapters.state_glance import Glance

#: An engine that works answers within a fraction of this (seconds).
ANSWER_WITHIN = 5.0
#: How often `--wait` looks (seconds).
_LOOK_EVERY = 0.5
#: Rows that are shown without -v, unless more are bad.
_ROWS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `status` takes."""
    parser.add_argument("--wait", metavar="STATE", choices=("healthy", "running"), help="wait until it is so")
    parser.add_argument("--timeout", metavar="DURATION", default="5m", help="with --wait: give up after this (default 5m)")


def run(call: Call) -> int:
    """Show the status, waiting for one if asked to."""
    if call.arguments.wait:
        return _wait(call)
    try:
        status = call.ask("status", timeout_seconds=ANSWER_WITHIN)
    except NotRunningError as error:
        return _dead(call, error)
    _show(call, status)
    return 0 if status["health"] == "healthy" else 1


def _wait(call: Call) -> int:
    wanted, deadline = call.arguments.wait, time.monotonic() + seconds_of(call.arguments.timeout)
    while True:
        try:
            status = call.ask("status", timeout_seconds=ANSWER_WITHIN)
        except NotRunningError:
            status = {"health": "not running"}
        if status["health"] == "healthy" or (wanted == "running" and status["health"] != "not running"):
            _show(call, status)
            return 0
        if time.monotonic() >= deadline:
            raise _WaitedLongEnoughError(f"not {wanted} within {call.arguments.timeout}, but {status['health']}")
        time.sleep(_LOOK_EVERY)


class _WaitedLongEnoughError(ZenError):
    """No answer in time."""

    exit_code = 5


def _show(call: Call, status: dict[str, Any]) -> None:
    if call.machine:
        data(call, "status", {key: value for key, value in status.items() if key != "schema"})
        return
    for line in (*status["abnormal"], *(window_line(call, window) for window in status["windows"])):
        say(call, line, hang=2)
    if not call.arguments.quiet:
        for demoted in status["demoted"]:
            scope = demoted["scope"].removeprefix("rule:")
            say(call, f"asks first: {scope}, since {demoted['reason']}. zen-agents resume {scope}", hang=6)
        for warning in status["warnings"]:
            say(call, f"note: {warning}", hang=6)
    flow(call, headline(call, status), "  ")
    flow(call, counts(status), " | ")
    if call.arguments.quiet:
        return
    print()
    _table(call, status)
    next_steps(call, *_next(status))


def window_line(call: Call, window: Mapping[str, Any]) -> str:
    """Return which window is open, what it does, and until when."""
    ends = call.clock(datetime.fromisoformat(window["ends_at"]))
    end = f" by {window['by']}. zen-agents maintenance end {window['name']}" if window["by"] else ""
    return f"MAINTENANCE {window['name']} ({window['effect']}) until {ends}, {ago(window['left_seconds'])} left{end}"


def _table(call: Call, status: dict[str, Any]) -> None:
    rows = status["checks"] if call.arguments.verbose else _worth_showing(status["checks"])
    if rows:
        heads = ("CHECK", "STATE", "SINCE", "VALUE", "LAST ACTION")
        cells = [row_of(row, short=False) for row in rows]
        if not fits(call, heads, cells):
            # What is wrong is not cut for the agent's name, nor for what was done: how it ended says more.
            short = len({row["check"].partition(".")[0] for row in rows}) == 1
            cells = [(*row_of(row, short=short)[:-1], _ended(row)) for row in rows]
        table(call, heads, cells, whole=("STATE", "SINCE", "LAST ACTION"), goes_on="VALUE")
    else:
        print("Nothing is watched: no agent is enabled, or none has a check.")
    if hidden := len(status["checks"]) - len(rows):
        print(f"... and {hidden} more, all ok (-v shows them)")
    if status["checks_more"]:
        print(f"... and {status['checks_more']} more, none worse than these (-o json has no more either)")
    for each in status.get("looks", ()):
        say(call, f"{each['target'].partition(':')[2] or each['target']}: {in_words(each)}", hang=2)
    for agent in status["agents"]:
        if agent["state"] != "running":
            say(call, f"agent {agent['name']}: {agent['state']}")


def headline(call: Call, status: Mapping[str, Any]) -> Iterable[str]:
    """Return who it is, in which mode, and since when, in parts."""
    mode = status["mode"].upper() + (" (DRY RUN)" if status["dry_run"] else "")
    config, last = status["config"], status["last_tick_seconds_ago"]
    looked = f"last look {ago(last)} ago" if last is not None else "not looked yet"
    loaded = call.clock(datetime.fromisoformat(config["loaded_at"]).astimezone())
    return (
        status["host"], mode, f"up {ago(status['up_seconds'])}", looked,
        f"config {config['digest'][:6]} {config['path']} (loaded {loaded})",
    )  # fmt: skip


def counts(status: Mapping[str, Any]) -> list[str]:
    """Return how much is open, done, spent and asked, in parts."""
    outcomes = ", ".join(f"{count} {kind}" for kind, count in sorted(status["actions_by_outcome"].items()))
    parts = [
        f"{plural(status['incidents_open'], 'incident')} open",
        f"{plural(status['actions_today'], 'action')} today" + (f" ({outcomes})" if outcomes else ""),
        f"repairs {status['repairs_spent']}/{status['repairs_limit']} this hour",
    ]
    if waiting := [asked for asked in status["approvals"] if asked["state"] == "pending"]:
        soonest = min(asked["expires_seconds"] for asked in waiting)
        parts.append(f"{plural(len(waiting), 'approval')} waiting (expires in {ago(soonest)})")
    if status["pages_undelivered"]:
        parts.append(
            f"{plural(len(status['pages_undelivered']), 'message')} not delivered: {status['pages_undelivered'][0]}"
        )
    return parts


def _worth_showing(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what is not ok and, of the rest, as much as fits a screen."""
    bad = [row for row in rows if row["state"] != "ok"]
    return rows[: max(len(bad), _ROWS)]


def row_of(row: Mapping[str, Any], *, short: bool) -> tuple[object, ...]:
    """Return one check as its name, state, age, value and last action; `short`: without the name of its agent."""
    action, target = row["last_action"], row["target"].partition(":")[2]
    check = row["check"].partition(".")[2] if short else row["check"]
    name = check if row["target"] == "host" or f".{check}".endswith(f".{target}") else f"{check} ({target})"
    muted = row.get("muted_by")
    value = (
        f"muted by {muted['target'].partition(':')[2]} ({muted['incident']}): {muted['source']}" if muted else row["value"]
    )
    done = f"{action['id']} {action['action']} {action['outcome']}" if action else "-"
    return name, row["state"], ago(row["since_seconds"]), value or "-", done


def _ended(row: Mapping[str, Any]) -> str:
    action = row["last_action"]
    return f"{action['id']} {action['outcome']}" if action else "-"


def _next(status: dict[str, Any]) -> list[str]:
    """Return what is worth typing next: about what is broken."""
    worst = next((row for row in status["checks"] if row["incident"] and row["state"] != "ok"), None)
    if waiting := [asked["id"] for asked in status["approvals"] if asked["state"] == "pending"]:
        asked = [f"zen-agents approvals show {waiting[0]}", f"zen-agents approve {waiting[0]} --reason TEXT"]
        return asked if worst is None else [*asked, f"zen-agents why {worst['incident']}"]
    if not status["incidents_open"] or worst is None:
        return ["zen-agents actions", "zen-agents events"]
    name = worst["target"].partition(":")[2] or worst["check"]
    return [
        f"zen-agents why {worst['incident']}",
        f"zen-agents ack {worst['incident']}",
        f"zen-agents pause {name} --for 1h --reason TEXT",
    ]


def _dead(call: Call, error: NotRunningError) -> int:
    """Say that nobody watches, and what the state still tells; one that cannot be read tells nothing, and is told."""
    from zen_agents.adapters.state_glance import glance  # noqa: PLC0415  nothing of it while an engine answers

    abnormal: list[str] = [gone(call)]
    seen: Glance | None = None
    if (call.state_dir / "EMERGENCY_STOP").exists():
        abnormal.append("EMERGENCY STOP is set: a started engine changes nothing either. zen-agents resume --help")
    try:
        seen = glance(call.state_file())
    except StoreError as trouble:
        abnormal.append(f"STATE NOT READABLE: {trouble}")
    if call.machine:
        body = {
            "host": (seen.host_name if seen else "") or socket.gethostname(), "health": "not running", "abnormal": abnormal,
            "incidents_open": len(seen.incidents) if seen else 0,
            "emergency_stop": (call.state_dir / "EMERGENCY_STOP").exists(),
            "last_actions": [row.id for row in seen.actions] if seen else [],
        }  # fmt: skip
        data(call, "status", body)
        return error.exit_code
    for line in abnormal:
        say(call, line, hang=2)
    if seen is not None and not call.arguments.quiet:
        _show_last(call, seen)
    return error.exit_code


def _show_last(call: Call, seen: Glance) -> None:
    open_ones = seen.incidents
    print(f"{plural(len(open_ones), 'incident')} open when it was last seen" + (":" if open_ones else ""))
    for incident in open_ones:
        since = f"since {call.clock(incident.began)}"
        say(call, f"{incident.id}  {since}  {incident.rule}: {incident.detail}", indent=2, hang=12)
    print("What it did last:" if seen.actions else "It has done nothing yet.")
    for row in seen.actions:
        say(call, f"{row.id}  {call.clock(row.at)}  {row.action} {row.target} -> {row.outcome}", indent=2, hang=12)
    about = [f"zen-agents why {open_ones[0].id}"] if open_ones else []
    next_steps(call, *about, "zen-agents doctor")


def gone(call: Call) -> str:
    """Return that nobody watches, and whether an engine hangs or none is there."""
    living = living_engine(call.state_dir)
    if living is None:
        return f"ENGINE NOT RUNNING on {call.state_dir}: nobody watches this host. Start it with: zen-agents run"
    pid, stopped = living
    how = "is stopped by a signal (kill -CONT lets it go on)" if stopped else "does not answer"
    return f"ENGINE HUNG on {call.state_dir}: its process {pid} {how}; nobody watches this host. End it: kill -KILL {pid}"
