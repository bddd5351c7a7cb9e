"""Explain something in the product's own words.

Examples:
  zen-agents explain ZC101                          an error code
  zen-agents explain config agents.system_health.thresholds     a setting: type, default, unit, environment variable
  zen-agents explain cooldown                       whatever is called so: agent, check, action, guard, reason
  zen-agents explain guards                         all of a kind; also: agents, checks, actions, inverses, reasons, codes
  zen-agents explain packs                          what can be extended; pack:nginx: what one of them brings
  zen-agents explain graph web                      what web depends on, what depends on it, and how that is known
  zen-agents explain graph -o dot                   the same of everything, for Graphviz

The graph is the running engine's.
"""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from zen_agents import catalog
from zen_agents.actions.base import Action
from zen_agents.cli.call import FORMATS, Call
from zen_agents.cli.envelope import data
from zen_agents.cli.parsing import meant
from zen_agents.cli.render import say
from zen_agents.errors import UsageError
from zen_agents.model.action import Reversible
from zen_agents.model.reason import Reason
from zen_agents.settings.codes import CODES

OUTPUTS = (*FORMATS, "dot")
#: Columns that a key of a setting gets.
_KEY = 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `explain` takes."""
    parser.add_argument(
        "what", help="a code, a name, a setting's path, or a kind: config, agents, checks, actions, guards, ..."
    )
    parser.add_argument("name", nargs="?", help="behind a kind: the name")


def run(call: Call) -> int:
    """Find it and print it."""
    what, name = call.arguments.what, call.arguments.name
    if what == "graph":
        from zen_agents.cli.explain_graph import show_graph  # noqa: PLC0415  few ask for it

        return show_graph(call, name)
    if call.output == "dot":
        raise UsageError("-o dot is for: zen-agents explain graph")
    if what == "config" or (name is None and "." in what):
        return _config(call, (name or "") if what == "config" else what)
    if name is None and what.startswith("pack:"):
        what, name = "pack", what.removeprefix("pack:")
    kind = what.removesuffix("s")
    if name is None and what.upper() in CODES:
        return _print(call, _code(what.upper()))
    if kind not in _KINDS:
        return _by_name(call, what if name is None else f"{what} {name}")
    known = _KINDS[kind]()
    if name is None:
        return _list(call, kind, known)
    wanted = name.upper() if kind == "code" else name
    if wanted not in known:
        raise UsageError(f"there is no {kind} {name!r}{meant(wanted, known)}; see: zen-agents explain {kind}s")
    return _print(call, known[wanted])


def _by_name(call: Call, name: str) -> int:
    """Explain whatever is called so; several things may be."""
    everything = {(kind, one): facts for kind, known in _KINDS.items() for one, facts in known().items()}
    found = [(kind, facts) for (kind, one), facts in everything.items() if one == name]
    if not found:
        names = [*(one for _, one in everything), *_KINDS, "config", "graph", *(f"{kind}s" for kind in _KINDS)]
        like = name.upper() if name[:2].upper() == "ZC" else name
        raise UsageError(f"nothing is called {name!r}{meant(like, names)}; see: zen-agents explain --help")
    if call.machine and len(found) > 1:
        data(call, "explain", [{"kind": kind, **facts} for kind, facts in found])
        return 0
    for index, (kind, facts) in enumerate(found):
        if index:
            print()
        _print(call, facts, kind)
    return 0


def _config(call: Call, path: str) -> int:
    from zen_agents.settings.explain import explain  # noqa: PLC0415  the whole grammar

    found = explain(path)
    facts = asdict(found) | {"name": path or "the whole configuration", "summary": found.description}
    del facts["path"], facts["description"]
    if not call.machine:
        facts["keys"] = [f"{key:{_KEY}} {meaning}" for key, meaning in found.keys.items()]
        facts["needed"] = "it has to be given" if found.needed else ""
    return _print(call, facts)


def _list(call: Call, kind: str, known: Mapping[str, Mapping[str, Any]]) -> int:
    if call.machine:
        data(call, f"explain-{kind}s", list(known.values()))
        return 0
    width = max(map(len, known), default=0)
    for name, facts in known.items():
        say(call, f"{name:{width}}  {facts['summary']}", hang=width + 2)
    return 0


def _print(call: Call, facts: Mapping[str, Any], kind: str = "") -> int:
    if call.machine:
        data(call, "explain", facts)
        return 0
    say(call, f"{kind}{' ' if kind else ''}{facts['name']}: {facts['summary']}", hang=2)
    for key, value in facts.items():
        if key in ("name", "summary") or not value:
            continue
        print(f"\n{key.replace('_', ' ')}")
        for line in value if isinstance(value, list | tuple) else str(value).splitlines():
            say(call, line, indent=2, hang=_KEY + 1 if key == "keys" else 2)
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
        for kind in catalog.AGENTS.values()
    }  # fmt: skip


def _checks() -> Mapping[str, Any]:
    return {
        kind.kind: {"name": kind.kind, "summary": kind.summary, "about": inspect.getdoc(kind)}
        for kind in catalog.CHECKS.values()
    }


def _actions() -> Mapping[str, Any]:
    return {
        kind.name: {
            "name": kind.name, "summary": kind.summary, "side_effects": kind.side_effects, "risk": kind.risk.value,
            "reversible": kind.reversible.value, "undo": _undo(kind), "budget": kind.budget.value,
            "policy": [f"{name}: {field.description}" for name, field in kind.Policy.model_fields.items()],
        }
        for kind in catalog.ACTIONS.values()
    }  # fmt: skip


def _undo(kind: type[Action]) -> str:
    if kind.reversible is Reversible.NO:
        return "it cannot be undone: there is no previous state to return to"
    return "zen-agents undo ID takes it back, if its target still is what it left"


def _inverses() -> Mapping[str, Any]:
    return {
        kind.name: {
            "name": kind.name, "summary": kind.summary, "side_effects": kind.side_effects, "risk": kind.risk.value,
            "about": inspect.getdoc(kind),
        }
        for kind in catalog.INVERSES.values()
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


def _packs() -> Mapping[str, Any]:
    from zen_agents.settings.packs import describe, installed  # noqa: PLC0415  few ask for it

    found = {}
    for name in installed():
        pack = describe(name)
        found[name] = {
            "name": name, "summary": pack.about, "use": f"extends: [pack:{name}]", "watches": list(pack.watched),
            "yours_to_set": [f"{key}: {meaning}{_now(pack.value(key))}" for key, meaning in pack.parameters.items()],
            "file": str(pack.path),
        }  # fmt: skip
    return found


def _now(value: str) -> str:
    return f" (here {value})" if value else ""


_KINDS: dict[str, Callable[[], Mapping[str, Any]]] = {
    "agent": _agents, "check": _checks, "action": _actions, "inverse": _inverses, "guard": _guards, "reason": _reasons,
    "code": _codes, "pack": _packs,
}  # fmt: skip
