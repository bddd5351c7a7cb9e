"""Stop the engine: the running action is let finish. With --emergency: stop all changes at once, with or without an engine.

Examples:
  zen-agents stop --reason "kernel upgrade"
  zen-agents stop --emergency --reason "runaway restarts"
  zen-agents stop --emergency --now                 kills a running package manager too

The emergency stop survives a reboot and is the same as scripts/stop-agents.sh --emergency, which needs no Python.
"""

from __future__ import annotations

import argparse

from zen_agents.adapters.action_log import ActionLogFile
from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.adapters.running_actions import kill_running
from zen_agents.cli.call import Call, living_engine
from zen_agents.cli.envelope import data
from zen_agents.cli.render import next_steps, plural, say
from zen_agents.clock import SystemClock
from zen_agents.errors import HostError, NotRunningError, UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `stop` takes."""
    parser.add_argument("--emergency", action="store_true", help="set the flag and kill what actions are running")
    parser.add_argument("--now", action="store_true", help="with --emergency: kill a running package manager too")


def run(call: Call) -> int:
    """Stop."""
    if call.arguments.emergency:
        return _emergency(call)
    if call.arguments.now:
        raise UsageError("--now goes with --emergency; without it a running action is let finish")
    result = call.ask("stop", reason=call.reason(needed=False))
    if call.machine:
        data(call, "stop", result)
        return 0
    left = f"after {plural(result['running'], 'running action')}" if result["running"] else "now"
    print(f"The engine ends {left}. Nobody watches this host until: zen-agents run")
    return 0


def _emergency(call: Call) -> int:
    """Do what scripts/stop-agents.sh does, which needs no Python."""
    if not call.state_dir.is_dir():
        raise NotRunningError(f"there is no state directory {call.state_dir}; name it with --state-dir")
    flag, who, now = EmergencyFlag(call.state_dir), call.person(), SystemClock().now()
    was_set, reason = flag.read() is not None, call.arguments.reason or "no reason given"
    try:
        text = flag.set(by=who, reason=reason, at=now.wall)
    except HostError as error:
        raise HostError(f"{error}\nor run: scripts/stop-agents.sh --emergency, which ends the engine instead") from error
    ended = kill_running(call.state_dir, also_packages=call.arguments.now)
    ActionLogFile(call.state_dir / "actions.log").write(
        now, "HUMAN", "stop_emergency", action="stop_emergency", target="host", by=who, outcome="-", detail=reason
    )
    if call.machine:
        data(call, "stop", {"flag": text, "was_set": was_set, "actions": ended, "engine": _engine(call)})
        return 0
    again = " (it was set already)" if was_set else ""
    say(call, f"EMERGENCY STOP {text}{again} (flag {flag.paths[0]}, survives reboot)", hang=2)
    for id, what in ended.items():
        say(call, f"{what:9} {id}", indent=2)
    _say_what_goes_on(call)
    next_steps(call, "zen-agents actions --outcome unknown", "zen-agents events --since 1h", "zen-agents status")
    return 0


def _engine(call: Call) -> str:
    """Return how the engine is: working, stopped by a signal, or not running. It is not asked, for it may be hung."""
    living = living_engine(call.state_dir)
    if living is None:
        return "not running"
    return "stopped by a signal" if living[1] else "running"


def _say_what_goes_on(call: Call) -> None:
    engine = _engine(call)
    if engine == "running":
        print("Checks and alerts keep running.")
    elif engine == "not running":
        print("No engine runs on this state; one that is started changes nothing.")
    else:
        print(f"The engine is {engine} and watches nothing; when it goes on it changes nothing.")
    name = call.host_names()[0]
    say(call, f"Nothing will be changed until: zen-agents resume --from-emergency --confirm {name}", hang=2)
