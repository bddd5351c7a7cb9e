"""The reference page of the configuration: every key, walked along the grammar that the engine itself reads by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import time, timedelta
from typing import Any, NamedTuple

from pydantic import BaseModel

from zen_agents import catalog
from zen_agents.actions.base import ActionPolicy
from zen_agents.model.scalars import format_duration
from zen_agents.settings.explain import Explained, explain
from zen_agents.settings.models import Settings
from zen_agents.settings.shape import Shape, root

_BEGINNING = """# Configuration

One YAML file. Where it is looked for: [files](files.md). In the terminal: `zen-agents explain config KEY`.

How values are written: a **duration** has a unit (`30s` `5m` `2h` `7d`), a **size** too (`512KiB` `50MiB` `2GiB`); a
**percentage** is `80` under `thresholds` and `..._threshold`, and `80%` elsewhere; a **time of day** is `"22:00"`, a
**file mode** is octal in quotes (`"0640"`), a **cron expression** has five fields in quotes. `interval` alone may be a bare
number of seconds. An unknown or doubled key is an error; keys that begin with `x-` are yours. `NAME` stands for a name of
your choice, `[]` for each item of a list."""
_ACTIONS = """\
`NAME` is an action ([actions](actions.md)); an empty map `{}` allows it with these defaults. With an `actions:` section, an
action that is not listed is never done; without one, all of them are allowed on what the file lists and on nothing else.
Every action has:"""
_HEAD = "| Key | Type | Default | Meaning |\n|---|---|---|---|"


class Key(NamedTuple):
    """One key, with the path that is printed."""

    path: str
    shown: str
    shape: Shape


def config_page() -> str:
    """Return the page."""
    keys = list(_walk(root(), (), ""))
    parts = [_BEGINNING]
    for title, members in _sections(keys):
        parts += [f"## {title}", *_intro(title), _table(members)]
    return "\n\n".join(parts)


def _walk(shape: Shape, path: tuple[str, ...], shown: str) -> Iterator[Key]:
    for name in shape.keys:
        below = shape.step(name)
        if below is not None:
            key = f"{shown}.{name}" if shown else name
            yield Key(".".join((*path, name)), key, below)
            yield from _walk(below, (*path, name), key)
    inner = None if shape.keys else shape.step("NAME")
    if inner is not None and inner.keys:
        free = explain(".".join(path)).type.startswith("map")
        yield from _walk(inner, (*path, "NAME"), f"{shown}.NAME" if free else f"{shown}[]")


def _sections(keys: list[Key]) -> list[tuple[str, list[Key]]]:
    """Return the keys by section: by top-level key, the agents' by what stands below them, the actions' by action."""
    found: dict[str, list[Key]] = {}
    for key in keys:
        words = key.path.split(".")
        if key.shape.keys or words == ["agents"]:
            continue
        if words[0] == "agents":
            below = explain(".".join(words[:3]))
            title = ".".join(words[:3] if len(words) > 3 or below.type.startswith("map") else words[:2])
        elif words[:2] == ["actions", "allow"] and len(words) > 3:
            if words[3] in ActionPolicy.model_fields:
                continue
            title = "actions.allow"
        else:
            title = words[0] if len(words) > 1 else "The whole file"
        found.setdefault(title, []).append(key)
    return list(found.items())


def _intro(title: str) -> list[str]:
    if title != "actions.allow":
        return []
    one = catalog.ACTIONS[0].name
    rows = [_row(f"NAME.{name}", explain(f"actions.allow.{one}.{name}"), "") for name in ActionPolicy.model_fields]
    return [_ACTIONS, "\n".join([_HEAD, *rows]), "Besides, what narrows it further:"]


def _table(keys: list[Key]) -> str:
    defaults = _defaults()
    rows = []
    for key in keys:
        facts = explain(key.path)
        shown = key.shown.removeprefix("agents.system_health.").removeprefix("actions.allow.")
        rows.append(_row(shown, facts, _default(defaults, key.path, facts)))
    return "\n".join([_HEAD, *rows])


def _row(shown: str, facts: Explained, default: str) -> str:
    value = "needed" if facts.needed else f"`{default or facts.default}`" if default or facts.default else ""
    meaning = facts.description + (f" (variable `{facts.environment}`)" if facts.environment else "")
    return f"| `{shown}` | {_cell(facts.type)} | {value} | {_cell(meaning)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _defaults() -> Mapping[str, Any]:
    agents = {kind.name: kind.Settings() for kind in catalog.AGENTS}
    return {"": Settings(), "agents": agents}


def _default(defaults: Mapping[str, Any], path: str, facts: Explained) -> str:
    """Return the value that really holds without the key: what a section makes of its own parts may differ by place."""
    words = path.split(".")
    if "NAME" in words or facts.needed:
        return ""
    value: Any = defaults["agents"][words[1]] if words[0] == "agents" else defaults[""]
    for word in words[2:] if words[0] == "agents" else words:
        value = _attribute(value, word)
    return _written(value)


def _attribute(value: Any, name: str) -> Any:
    if isinstance(value, BaseModel):
        for own, field in type(value).model_fields.items():
            if name in (own, field.alias):
                return getattr(value, own)
    return None


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, int | float | str):
        return f"{value:g}" if isinstance(value, float) else str(value)
    return ""
