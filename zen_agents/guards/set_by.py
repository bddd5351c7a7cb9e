"""What sets the value that each guard goes by; imports nothing, since looking has to be quick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

#: Guard -> the keys of the configuration that set what it goes by, the nearest first. AGENT, ACTION and SERVICE stand for
#: those of the question; without a key nothing in the configuration does.
KEYS: Mapping[str, Sequence[str]] = {
    "emergency_stop": (),
    "safe_mode": ("safe_mode.enter_when",),
    "pause": (),
    "maintenance": ("maintenance",),
    "mode": ("mode",),
    "auto_mitigate": ("agents.AGENT.auto_mitigate",),
    "allow_list": ("actions.allow",),
    "protected": ("protected.units", "protected.paths"),
    "ownership": ("limits.boot_grace",),
    "stateful": ("protected.stateful_units",),
    "stopped_by_person": ("agents.AGENT.services.SERVICE.keep",),
    "confirmation": (),
    "foreign_state": (),
    "dependency": ("agents.AGENT.services.SERVICE.depends_on",),
    "storm_brake": ("breakers.storm",),
    "lease": (),
    "cooldown": ("actions.allow.ACTION.cooldown",),
    "rate_limit": ("limits.max_auto_repairs_per_hour", "limits.per_target_per_hour", "limits.max_concurrent"),
    "breaker": ("breakers.failures",),
    "recurrence": ("breakers.recurrence",),
    "approval": ("actions.allow.ACTION.approval",),
    "dry_run": (),
}
#: Where people set it by hand: a guard of these has no key.
BY_HAND: Mapping[str, str] = {
    "emergency_stop": "set by: zen-agents stop --emergency",
    "pause": "set by: zen-agents pause",
    "dry_run": "set by: --dry-run",
    "confirmation": "built in, for rules over log lines",
    "foreign_state": "built in",
    "lease": "built in",
}
#: Refusals that no key has to do with, whatever their guard's key is.
_FOUND = frozenset({"not_ours", "busy_elsewhere", "unknown_outcome", "stale_plan", "guard_error"})


def built_in(*keys: str) -> str:
    """Return that a value is a default, and the keys that would set it."""
    return f"built-in default ({', '.join(keys)})"


def default_of(guard: str, reason: str = "", *, agent: str = "", action: str = "", target: str = "") -> str:
    """Return where a guard's value came from that no line of the configuration sets; "" if that says nothing."""
    if reason in _FOUND:
        return ""
    if guard in BY_HAND:
        return BY_HAND[guard]
    names = {"AGENT": agent, "ACTION": action, "SERVICE": target.partition(":")[2]}
    keys = list(KEYS.get(guard, ()))
    for word, name in names.items():
        keys = [".".join(name if step == word and name else step for step in key.split(".")) for key in keys]
    return built_in(*keys) if keys else ""
