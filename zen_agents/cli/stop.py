"""Stop the engine: the running action is let finish. With --emergency: stop all changes at once, with or without an engine.

stop      stop --emergency --reason "runaway restarts" [--now]
"""

from __future__ import annotations

import argparse
import getpass
import os

from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.adapters.running_actions import kill_running
from zen_agents.cli.call import Call
from zen_agents.cli.render import data
from zen_agents.clock import SystemClock
from zen_agents.errors import HostError, StoreError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `stop` takes."""
    parser.add_argument("--emergency", action="store_true", help="set the flag and kill what actions are running")
    parser.add_argument("--now", action="store_true", help="with --emergency: kill a running package manager too")


def run(call: Call) -> int:
    """Stop."""
    if call.arguments.emergency:
        return _emergency(call)
    result = call.ask("stop", reason=call.reason(needed=False))
    if call.machine:
        data(call, "stop", result)
    else:
        left = f"after {result['running']} running action" if result["running"] else "now"
        print(f"The engine ends {left}.")
    return 0


def _emergency(call: Call) -> int:
    """Do what scripts/stop-agents.sh does, which needs no Python."""
    if not call.state_dir.is_dir():
        raise StoreError(f"there is no state directory {call.state_dir}; name it with --state-dir")
    who = os.environ.get("SUDO_USER") or getpass.getuser()
    reason = call.arguments.reason or "no reason given"
    try:
        text = EmergencyFlag(call.state_dir).set(by=who, reason=reason, at=SystemClock().now().wall)
    except HostError as error:
        raise HostError(f"{error}\nor run: scripts/stop-agents.sh --emergency, which ends the engine instead") from error
    ended = kill_running(call.state_dir, also_packages=call.arguments.now)
    if call.machine:
        data(call, "stop", {"flag": text, "actions": ended})
        return 0
    print(f"EMERGENCY STOP {text} (flag {call.state_dir}/EMERGENCY_STOP, survives reboot)")
    for id, what in ended.items():
        print(f"  {what:9} {id}")
    host = os.uname().nodename
    print(
        f"Checks and alerts keep running. Nothing will be changed until: zen-agents resume --from-emergency --confirm {host}"
    )
    print("Look at: zen-agents actions --outcome unknown")
    return 0
