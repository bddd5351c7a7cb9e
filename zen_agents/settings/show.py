"""The effective configuration, and where each value came from: what `config show` prints."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from zen_agents.dataclass import dataclass
from zen_agents.settings.loader import Loaded, effective_values
from zen_agents.settings.models import Settings
from zen_agents.settings.nodes import Origin
from zen_agents.settings.sources import Source, flatten

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*|[0-9]+(?:ms|[smhdw%B]|[KMGT]iB)", re.ASCII)
#: Words that YAML, of whatever version, reads as something else.
_READ_OTHERWISE = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_DEFAULT = Source(Origin.DEFAULT, "")


@dataclass(frozen=True, slots=True)
class Shown:
    """The effective configuration as data."""

    #: Nested plain JSON values; only those that differ from the defaults, if that was asked for.
    values: Mapping[str, Any]
    #: Dotted path of each leaf in `values` -> its source; empty unless asked for.
    sources: Mapping[str, Source]


def show(loaded: Loaded, *, sources: bool = False, diff_defaults: bool = False) -> Shown:
    """Return the effective configuration. Secrets are not in it: settings hold only the names of their files.

    Raises:
        SettingsError: if the configuration is not valid.
    """
    settings = loaded.require()
    values = effective_values(settings)
    if diff_defaults:
        values = _only_differing(settings, values)
    found = {path: loaded.sources.get(path, _DEFAULT) for path in flatten(values)} if sources else {}
    return Shown(values, found)


def to_yaml(shown: Shown) -> str:
    """Return the values as YAML that loads to the same settings, each with its source behind it where there is one."""
    lines: list[str] = []
    _write(shown.values, "", "", shown.sources, lines)
    return "\n".join(lines) + "\n"


def _write(values: Mapping[str, Any], indent: str, path: str, sources: Mapping[str, Source], lines: list[str]) -> None:
    for key, value in values.items():
        below = f"{path}.{key}" if path else key
        name = _scalar(key)
        if isinstance(value, Mapping) and value:
            lines.append(f"{indent}{name}:")
            _write(value, f"{indent}  ", below, sources, lines)
        elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            lines.append(f"{indent}{name}:")
            for index, item in enumerate(value):
                start = len(lines)
                _write(item, f"{indent}    ", f"{below}[{index}]", sources, lines)
                lines[start] = f"{indent}  - {lines[start].lstrip()}"
        else:
            behind = f"   # {sources[below]}" if below in sources else ""
            lines.append(f"{indent}{name}: {_flow(value)}{behind}")


def _flow(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_flow(item) for item in value)}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """Return a scalar that reads back as itself: plain where nobody could misread it, else in JSON's quotes."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _READ_OTHERWISE:
        return value
    text = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)


def _defaults(settings: Settings) -> dict[str, Any]:
    """Return what the same file would mean if it said nothing but which agents and actions it has."""
    allow = {name: type(policy)() for name, policy in settings.actions.allow.items()}
    bare = Settings().model_copy(
        update={
            "agents": {name: type(section)() for name, section in settings.agents.items()},
            "actions": settings.actions.model_copy(update={"allow": allow}),
        }
    )
    return effective_values(bare)


def _only_differing(settings: Settings, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what differs from the defaults, and the names of agents and of an own allow-list, which have none."""
    different = _differing(values, _defaults(settings))
    agents = different.get("agents", {})
    different["agents"] = {name: agents.get(name, {}) for name in values["agents"]}
    if not settings.actions.built_in:
        allow = different.get("actions", {}).get("allow", {})
        different["actions"] = {"allow": {name: allow.get(name, {}) for name in values["actions"]["allow"]}}
    return different


def _differing(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    different: dict[str, Any] = {}
    for key, value in values.items():
        default = defaults.get(key)
        if isinstance(value, Mapping) and isinstance(default, Mapping):
            if below := _differing(value, default):
                different[key] = below
        elif key not in defaults or value != default:
            different[key] = value
    return different
