"""Run inside a disposable host: plans one restart_service, asks the guard, acts if told to, prints what came of it as JSON.

Arguments: `plan` or `act`, the state directory, the parameters as JSON, which attempt it is, and the targets kept running.
"""

import asyncio
import dataclasses
import json
import os
import sys
from pathlib import Path

from tests.support.guarding import policy, question, request
from zen_agents.actions.restart_service import RestartService
from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.adapters.linux_control import LinuxControls
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.clock import SystemClock
from zen_agents.errors import ZenError
from zen_agents.guards.stopped_by_person import StoppedByPerson


async def outcome(
    wanted: str, state_dir: Path, params: dict[str, object], attempt: int, kept: frozenset[str]
) -> dict[str, object]:
    flag = EmergencyFlag(state_dir)
    flag.prepare()
    host, action = LinuxHost(state_dir), RestartService()
    asked = request(target=f"service:{params['service']}", params=params, attempt=attempt)
    plan = action.plan(asked, host.look())
    judged = question(None, request=asked, plan=plan, host=host.look(), policy=policy(keep_running=kept))
    answer = StoppedByPerson().assess(judged)
    told = {
        "engine": os.getpid(),
        "steps": plan.steps,
        "warning": plan.warning,
        "ruling": answer.ruling.name.lower(),
        "reason": answer.reason and answer.reason.value,
        "value": answer.value,
    }
    if wanted == "plan":
        return told
    controls = LinuxControls(host, state_dir=state_dir, flag=flag, clock=SystemClock())
    control = controls.held("act-inside00")
    control.release()
    effect = await action.execute(plan, control)
    controls.close()
    return {**told, "effect": dataclasses.asdict(effect)}


def main() -> None:
    wanted, state_dir, params, attempt, *kept = sys.argv[1:]
    Path(state_dir).mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        told = asyncio.run(outcome(wanted, Path(state_dir), json.loads(params), int(attempt), frozenset(kept)))
    except ZenError as error:
        reason = getattr(error, "reason", None)
        told = {"error": type(error).__name__, "reason": reason and reason.value, "said": str(error)}
    sys.stdout.write(json.dumps(told))


main()
