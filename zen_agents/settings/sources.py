"""Where each value came from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from zen_agents.dataclass import dataclass
from zen_agents.settings.nodes import Node, Origin, Path, dotted


@dataclass(frozen=True, slots=True)
class Source:
    """Where one value came from."""

    kind: Origin
    #: `config.yaml:108`, `env ALERT_EMAIL`, "" for a default.
    place: str
    #: What it won over: `file says 5, config.yaml:108`; "" if nothing.
    shadowed: str = ""

    def __str__(self) -> str:
        """Return what stands behind a value in `config show --sources`."""
        return f"{self.place or 'default'}{f' ({self.shadowed})' if self.shadowed else ''}"


def sources(root: Node) -> dict[str, Source]:
    """Return the source of every leaf that was written, by dotted path; what is missing is a default."""
    return {dotted(path): source(node) for path, node in root.leaves()}


def source(node: Node) -> Source:
    """Return where one node came from."""
    shadowed = ""
    if (below := node.shadowed) is not None:
        shadowed = f"{below.place.document.origin.value} says {_shown(below)}, {below.place.short}"
    return Source(node.place.document.origin, node.place.short, shadowed)


#: With more keys than this, those of single services, files and the like are left out by a reader that wants to stay small.
MOST_ORIGINS = 5000
#: `agents.system_health.paths.NAME`; what is in there is deeper.
_DEEPEST = 4


def origins(root: Node, *, lean: bool = False) -> dict[str, str]:
    """Return `file:line:column` of every key that was written, containers too, by dotted path.

    With `lean`, a configuration of thousands of entries is told down to each entry, not to the keys in it.
    """
    found: dict[str, str] = {}
    deepest = _DEEPEST if lean and _keys(root) > MOST_ORIGINS else None
    _walk(root, (), found, deepest)
    return found


def _keys(node: Node) -> int:
    if node.is_map:
        return sum(1 + _keys(entry.node) for entry in node.value.values())
    return sum(map(_keys, node.value)) if node.is_list else 0


def _walk(node: Node, path: Path, found: dict[str, str], deepest: int | None) -> None:
    if deepest is not None and len(path) >= deepest and path[0] == "agents":
        return
    if node.is_map:
        for key, entry in node.value.items():
            below = (*path, key)
            found[dotted(below)] = str(entry.place)
            _walk(entry.node, below, found, deepest)
    elif node.is_list:
        for index, item in enumerate(node.value):
            if item.is_map:
                found[dotted((*path, index))] = str(item.place)
                _walk(item, (*path, index), found, deepest)


def flatten(values: Mapping[str, Any], path: Path = ()) -> dict[str, Any]:
    """Return plain values by dotted path: scalars and lists of scalars."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        below = (*path, key)
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, below)
        elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            for index, item in enumerate(value):
                flat |= flatten(item, (*below, index))
        else:
            flat[dotted(below)] = value
    return flat


def _shown(node: Node) -> str:
    value = node.plain()
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
