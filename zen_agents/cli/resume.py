"""Lift a pause, reopen a target whose outcome was unknown, or end the emergency stop.

  resume web      resume target:service:web      resume --from-emergency --confirm HOST [--ack act-7m3x]

Nothing that piled up is run: everything is looked at anew.
"""

from __future__ import annotations

import argparse
import os

from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.cli.call import Call
from zen_agents.cli.render import data
from zen_agents.errors import NotRunningError, UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `resume` takes."""
    parser.add_argument("scope", nargs="?", default="host", help="what was paused; default: the whole host")
    parser.add_argument("--from-emergency", action="store_true", help="end the emergency stop")
    parser.add_argument("--confirm", metavar="HOST", help="with --from-emergency: the host's name")
    parser.add_argument("--ack", metavar="ACTION", action="append", default=[], help="you looked at this unknown action")


def run(call: Call) -> int:
    """Resume."""
    if call.arguments.from_emergency:
        return _from_emergency(call)
    result = call.ask("resume", scope=call.arguments.scope, reason=call.reason(needed=False))
    if call.machine:
        data(call, "resume", result)
    else:
        print(f"{result['scope']}: {', '.join(result['lifted'])} lifted; it is looked at anew.")
    return 0


def _from_emergency(call: Call) -> int:
    wanted = call.arguments
    args = {"confirm": wanted.confirm, "acknowledged": wanted.ack, "reason": call.reason(needed=False)}
    try:
        result = call.ask("resume_emergency", **args)
    except NotRunningError:
        result = _without_engine(call)
    if call.machine:
        data(call, "resume", result)
    else:
        print(f"The emergency stop is over (it was: {result['was']}). Actions are allowed again.")
    return 0


def _without_engine(call: Call) -> dict[str, object]:
    """Clear the flag for an engine that is not running; the next one writes down that it is gone."""
    if call.arguments.confirm != os.uname().nodename:
        raise UsageError(f"type the host's name: --confirm {os.uname().nodename}")
    flag = EmergencyFlag(call.state_dir)
    was = flag.read()
    removed = flag.clear()
    return {"was": was, "removed": list(removed)}
