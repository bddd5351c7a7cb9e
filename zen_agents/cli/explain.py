"""Explain something from the product's own words.

explain ZC101                                    an error code
explain config agents.system_health.thresholds   a setting: type, default, unit, environment variable
explain agent system_health                      an agent; also: check KIND, action NAME, guard NAME, reason WORD
explain actions                                  all of a kind; also: agents, checks, guards, reasons, codes
"""

from __future__ import annotations

import argparse
import difflib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from zen_agents import catalog
from zen_agents.cli.call import Call
from zen_agents.cli.render import data
from zen_agents.errors import UsageError
from zen_agents.model.reason import Reason
from zen_agents.settings.codes import CODES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `explain` takes."""
    parser.add_argument("what", help="a code, or: config, agent, check, action, guard, reason; or their plural")
    parser.add_argument("name", nargs="?", help="its name")


def run(call: Call) -> int:
    """Find it and print it."""
    what, name = call.arguments.what, call.arguments.name
    if what.upper() in CODES:
        return _print(call, _code(what.upper()))
    if what == "config":
        return _config(call, name or "")
    kinds: dict[str, Callable[[], Mapping[str, Any]]] = {
        "agent": _agents, "check": _checks, "action": _actions, "guard": _guards, "reason": _reasons, "code": _codes,
    }  # fmt: skip
    kind = what.rstrip("s") if what.rstrip("s") in kinds else None
    if kind is None:
        near = difflib.get_close_matches(what, [*kinds, *CODES, "config"], n=1)
        raise UsageError(f"nothing is called {what!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    known = kinds[kind]()
    if name is None:
        return _list(call, kind, known)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise UsageError(f"there is no {kind} {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return _print(call, known[name])


def _config(call: Call, path: str) -> int:
    from zen_agents.settings.explain import explain  # noqa: PLC0415  the whole grammar

    text = explain(path)
    if call.machine:
        data(call, "explain", {"path": path, "text": text})
    else:
        print(text)
    return 0


def _list(call: Call, kind: str, known: Mapping[str, Mapping[str, Any]]) -> int:
    if call.machine:
        data(call, f"{kind}s", list(known.values()))
        return 0
    for name, facts in known.items():
        print(f"{name:24} {facts['summary']}")
    return 0


def _print(call: Call, facts: Mapping[str, Any]) -> int:
    if call.machine:
        data(call, "explain", facts)
        return 0
    print(f"{facts['name']}: {facts['summary']}")
    for key, value in facts.items():
        if key in ("name", "summary") or not value:
            continue
        lines = value if isinstance(value, list | tuple) else str(value).splitlines()
        print(f"\n{key.replace('_', ' ')}")
        for line in lines:
            print(f"  {line}")
    return 0


def _code(code: str) -> Mapping[str, Any]:
    entry = CODES[code]
    return {"name": code, "summary": entry.what, "why": entry.why, "fix": entry.fix, "example": entry.example}


def _codes() -> Mapping[str, Any]:
    return {code: _code(code) for code in CODES}


def _reasons() -> Mapping[str, Any]:
    return {reason.value: {"name": reason.value, "summary": reason.sentence} for reason in Reason}


def _agents() -> Mapping[str, Any]:
    return {
        kind.name: {
            "name": kind.name, "summary": kind.purpose, "permissions": list(kind.permissions),
            "side_effects": list(kind.side_effects), "recovery": list(kind.recovery), "may_ask_for": sorted(kind.actions),
        }
        for kind in catalog.AGENTS
    }  # fmt: skip


def _checks() -> Mapping[str, Any]:
    return {
        kind.kind: {"name": kind.kind, "summary": kind.summary, "about": inspect.getdoc(kind)} for kind in catalog.CHECKS
    }


def _actions() -> Mapping[str, Any]:
    return {
        kind.name: {
            "name": kind.name, "summary": kind.summary, "side_effects": kind.side_effects, "risk": kind.risk.value,
            "reversible": kind.reversible.value, "budget": kind.budget.value,
            "policy": [f"{name}: {field.description}" for name, field in kind.Policy.model_fields.items()],
        }
        for kind in catalog.ACTIONS
    }  # fmt: skip


def _guards() -> Mapping[str, Any]:
    return {
        guard.name: {
            "name": guard.name, "summary": guard.why, "about": inspect.getdoc(guard),
            "for_people": "a person passes it with --override" if guard.overridable else
            "binds people too" if guard.binds_people else "binds the engine only; a person passes it with --reason",
        }
        for guard in catalog.GUARDS
    }  # fmt: skip
