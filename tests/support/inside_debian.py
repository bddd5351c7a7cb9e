"""Run inside a disposable host: plans an upgrade of Debian packages, does it if told to, and prints what came of it as JSON.

Arguments: `plan`, `act` or `undo`, the state directory, and the parameters as JSON; `undo` also does it first.
"""

import asyncio
import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.support.guarding import request
from zen_agents.actions.reinstall_debian_packages import ReinstallDebianPackages
from zen_agents.actions.upgrade_debian_packages import UpgradeDebianPackages
from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.adapters.linux_control import LinuxControls
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.clock import SystemClock
from zen_agents.errors import ZenError


async def outcome(wanted: str, state_dir: Path, params: dict[str, Any]) -> dict[str, Any]:
    flag = EmergencyFlag(state_dir)
    flag.prepare()
    host, action = LinuxHost(state_dir), UpgradeDebianPackages()
    asked = request(action=action.name, target="packages:debian", params=params)
    plan = await asyncio.to_thread(action.plan, asked, host.look())
    told: dict[str, Any] = {
        "steps": plan.steps, "asks": plan.asks, "reversible": plan.reversible, "fingerprint": plan.fingerprint,
        "touches": [each.name for each in plan.touches], "along": [each.name for each in plan.along],
    }  # fmt: skip
    if wanted == "plan":
        return told
    controls = LinuxControls(host, state_dir=state_dir, flag=flag, clock=SystemClock())
    control = controls.held("act-inside00")
    control.release()
    try:
        effect = await action.execute(plan, control)
        told["effect"] = dataclasses.asdict(effect)
        if wanted == "undo":
            inverse, back = ReinstallDebianPackages(), action.inverse(plan, effect)
            assert back is not None
            way_back = await asyncio.to_thread(inverse.plan, back, host.look())
            told["undo"] = dataclasses.asdict(await inverse.execute(way_back, control))
            told["missing"] = await asyncio.to_thread(inverse.missing, way_back, host.look())
    finally:
        controls.close()
    return told


def main() -> None:
    wanted, state_dir, params = sys.argv[1:]
    Path(state_dir).mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ.pop("APT_CONFIG", None)
    try:
        told = asyncio.run(outcome(wanted, Path(state_dir), json.loads(params)))
    except ZenError as error:
        reason = getattr(error, "reason", None)
        told = {"error": type(error).__name__, "reason": reason and reason.value, "said": str(error)}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
