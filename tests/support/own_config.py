"""Configurations of one section each, for end-to-end tests of what the engine repairs besides a web server."""

from __future__ import annotations

import json
import os
import pwd
from typing import Any

from tests.support.engine_process import EngineProcess, wait_for

#: The account that started services run as: a plain one if there is a choice.
ACCOUNT = pwd.getpwuid(os.geteuid()).pw_name


def own_config(health: dict[str, Any], allow: dict[str, Any] | list[str], **sections: Any) -> str:
    """Return a configuration as JSON, which is YAML: this section of system_health, and these actions allowed."""
    policies = allow if isinstance(allow, dict) else {name: {} for name in allow}
    quick = {"approval": "auto", "cooldown": "0s", "verify_within": "20s"}
    whole: dict[str, Any] = {
        "agents": {"system_health": {"interval": "1m", **health}},
        "actions": {"default": "deny", "allow": {name: quick | policy for name, policy in policies.items()}},
        "limits": {"boot_grace": "0s", "max_auto_repairs_per_hour": 100, "per_target_per_hour": 100},
        "breakers": {"recurrence": {"open_after": 100}, "flapping": {"open_after": 100}, "failures": {"open_after": 100}},
    }
    return json.dumps(whole | sections, indent=1)


def outcomes(engine: EngineProcess, action: str = "", target: str = "") -> list[str]:
    """Return the outcomes of the actions of a kind on a target, oldest first."""
    return [row["outcome"] for row in actions(engine, action, target)]


def actions(engine: EngineProcess, action: str = "", target: str = "") -> list[dict[str, Any]]:
    """Return the actions of a kind on a target, oldest first."""
    return [row for row in engine.actions() if action in ("", row["action"]) and target in ("", row["target"])]


def repaired(engine: EngineProcess, action: str, target: str, *, seconds: float = 60.0) -> dict[str, Any]:
    """Wait until the last action of this kind is verified, and return it."""

    def last() -> dict[str, Any] | None:
        rows = actions(engine, action, target)
        return rows[-1] if rows and rows[-1]["outcome"] == "verified" else None

    row: dict[str, Any] = wait_for(last, f"{action} {target}", seconds=seconds)
    return row


def refusals(engine: EngineProcess, target: str) -> dict[str, str]:
    """Return why the engine refused to act on a target: reason and the sentence that was judged."""
    found = {}
    for decision in engine.decisions():
        for guard in decision.get("guards") or ():
            if decision.get("target") == target and guard["ruling"] == "deny":
                found[str(guard["reason"])] = str(guard.get("value", ""))
    return found


def told(engine: EngineProcess) -> list[str]:
    """Return the summaries of everything people were told, oldest first."""
    return [entry["body"]["summary"] for entry in engine.events() if entry["kind"] == "alert"]
