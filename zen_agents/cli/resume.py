"""Lift a pause, reopen a target whose outcome was unknown, or end the emergency stop.

Examples:
  zen-agents resume web
  zen-agents resume target:service:web              after an unknown outcome, when you have looked
  zen-agents resume --from-emergency --confirm HOST --ack act-7m3x
  zen-agents resume --staged --bake 10m             after a rollback: one agent at a time, each watched before the next

Nothing that piled up is run: everything is looked at anew.
"""

from __future__ import annotations

import argparse
import os

from zen_agents.adapters.action_log import ActionLogFile
from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.cli.call import Call, living_engine
from zen_agents.cli.envelope import data
from zen_agents.cli.outcome import tell
from zen_agents.cli.render import next_steps, say
from zen_agents.cli.times import ago, seconds_of
from zen_agents.clock import SystemClock
from zen_agents.errors import NotRunningError, PermissionDeniedError, RefusedError, UsageError
from zen_agents.model.action import OutcomeKind


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `resume` takes."""
    parser.add_argument("scope", nargs="?", default="host", help="what was paused; default: the whole host")
    parser.add_argument("--from-emergency", action="store_true", help="end the emergency stop")
    parser.add_argument("--confirm", metavar="HOST", help="with --from-emergency: the host's name")
    parser.add_argument(
        "--staged", action="store_true", help="one paused agent at a time; back to observing on a new incident"
    )
    parser.add_argument(
        "--bake", metavar="DURATION", default="10m", help="with --staged: how long each is watched (default 10m)"
    )
    parser.add_argument("--ack", metavar="ACTION", action="append", default=[], help="you looked at this unknown action")


def run(call: Call) -> int:
    """Resume."""
    if call.arguments.from_emergency:
        return _from_emergency(call)
    if call.arguments.staged:
        return _staged(call)
    result = call.ask("resume", scope=call.arguments.scope, reason=call.reason(needed=False))
    said = f"{result['scope']}: {', '.join(result['lifted'])} lifted; it is looked at anew."
    return tell(call, "resume", result, said)


def _staged(call: Call) -> int:
    bake = seconds_of(call.arguments.bake)
    result = call.ask("resume_staged", for_seconds=bake, reason=call.reason(needed=False))
    then = f", then {', '.join(result['waiting'])}" if result["waiting"] else ""
    said = (
        f"{result['agent']} acts again, on trial for {ago(result['bake_seconds'])}{then}. A new incident of an "
        "agent on trial pauses it again, and people are told."
    )
    return tell(call, "resume", result, said, "zen-agents status")


def _from_emergency(call: Call) -> int:
    wanted = call.arguments
    if not os.access(call.state_dir, os.X_OK) and call.state_dir.exists():
        raise PermissionDeniedError(f"{call.state_dir} may not be changed by you; become its owner")
    if EmergencyFlag(call.state_dir).read() is None:
        raise UsageError(f"the emergency stop is not set in {call.state_dir}; see: zen-agents status")
    if wanted.confirm is None and not wanted.no_input:
        wanted.confirm = call.prompt("Type this host's name: ", flag=f"--confirm {call.host_names()[0]}")
    if living_engine(call.state_dir) is None:
        result = _without_engine(call)
    else:
        args = {"confirm": wanted.confirm, "acknowledged": wanted.ack, "reason": call.reason(needed=False)}
        result = call.ask("resume_emergency", **args)
    if call.machine:
        data(call, "resume", result)
        return 0
    say(call, f"The emergency stop is over (it was: {result['was']}).", hang=2)
    print("Actions are allowed again; everything is looked at anew, nothing that piled up is run.")
    next_steps(call, "zen-agents status")
    return 0


def _without_engine(call: Call) -> dict[str, object]:
    """Clear the flag for an engine that does not run, on the same terms as a running one."""
    names = call.host_names()
    if call.arguments.confirm not in names:
        raise UsageError(f"type the host's name: --confirm {names[0]}")
    _refuse_unseen(call)
    flag, now = EmergencyFlag(call.state_dir), SystemClock().now()
    was, removed = flag.read(), flag.clear()
    ActionLogFile(call.state_dir / "actions.log").write(
        now, "HUMAN", "resume_emergency", action="resume_emergency", target="host", by=call.person(), outcome="-",
        detail=call.reason(needed=False),
    )  # fmt: skip
    return {"was": was, "removed": list(removed)}


def _refuse_unseen(call: Call) -> None:
    """Refuse until each action of unknown outcome was looked at. RefusedError names them."""
    try:
        store = call.store()
    except NotRunningError:
        return  # an engine never ran here, so that nothing was done
    rows = [*store.unfinished(), *(row for row in store.actions(limit=200) if row.kind is OutcomeKind.UNKNOWN)]
    unseen = [row.id for row in rows if row.id not in call.arguments.ack]
    if unseen:
        raise RefusedError(f"look at these first, then add --ack for each: {', '.join(unseen)}", reason="emergency_stop")
