"""What a key means, from the terminal: `zen-agents explain config agents.system_health.thresholds`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import time, timedelta
from enum import Enum
from typing import Any

from zen_agents.dataclass import dataclass
from zen_agents.errors import UsageError
from zen_agents.model.quantities import format_duration
from zen_agents.settings.environment import variables
from zen_agents.settings.nearest import nearest
from zen_agents.settings.nodes import Path
from zen_agents.settings.shape import Shape, validators
from zen_agents.settings.shape import root as grammar

_WORDS: dict[Any, str] = {
    bool: "true or false", int: "whole number", float: "number", str: "text", timedelta: "duration", time: "time of day",
}  # fmt: skip


#: Function of `model.scalars` that reads it -> its type, and how it is written.
_SCALARS = (
    ("parse_interval", "duration", "seconds, or with a unit: 30s 5m 2h 7d"),
    ("parse_duration", "duration", "with a unit: 30s 5m 2h 7d"),
    ("parse_size", "size", "with a unit: 512KiB 50MiB 2GiB"),
    ("parse_percent", "percentage", "percent, with the sign: 80%"),
    ("parse_threshold", "percentage", "percent from 1 to 100, with or without the sign"),
    ("check_octal_mode", "file mode", "octal, in quotes"),
    ("check_cron", "cron expression", "minute hour day month weekday, in quotes"),
    ("check_time_zone", "time zone", ""),
)
_EXAMPLES = (
    ("parse_interval", "5m"), ("parse_duration", "30s"), ("parse_size", "2GiB"), ("parse_percent", "80%"),
    ("parse_threshold", "80"), ("check_octal_mode", '"0640"'), ("check_cron", '"0 3 * * *"'),
    ("check_time_zone", "Europe/Berlin"), ("parse_time_of_day", '"22:00"'), ("path", "/srv/app"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Explained:
    """One key of the configuration, in words."""

    path: str
    #: What it means.
    description: str
    #: `true or false`, `duration`, `one of auto, notify, disabled`, `map by name` ...
    type: str
    #: As it would be written; "" if the key is needed.
    default: str
    #: `percent`, `seconds or a duration`, "" for none.
    unit: str
    #: Environment variable that wins over it, "" for none.
    environment: str
    example: str
    #: Keys below it -> what they mean.
    keys: dict[str, str]
    needed: bool = False


def explain(path: str) -> Explained:
    """Return what the key at a dotted path means; names in maps (`services.NAME`) may be any.

    Raises:
        UsageError: naming the nearest key, if there is none at this path.
    """
    shape = grammar()
    steps = tuple(step for step in re.split(r"[.\[\]]+", path) if step)
    walked: list[str] = []
    for step in steps:
        below = shape.step(step)
        if below is None:
            raise UsageError(_unknown(step, walked, shape))
        shape = below
        walked.append(step)
    return _explained(".".join(walked), steps, shape)


def _explained(path: str, steps: Path, shape: Shape) -> Explained:
    field = shape.field
    needed = field is not None and field.is_required()
    return Explained(
        path=path,
        description=_description(shape),
        type=_type(shape),
        default="" if needed or field is None else _shown(field.get_default(call_default_factory=True)),
        unit=_unit(shape),
        environment=next((name for name, key in variables().items() if key == path), ""),
        example=_example(steps, shape),
        keys={key: _below(shape, key) for key in shape.keys},
        needed=needed,
    )


def _description(shape: Shape) -> str:
    if shape.field is not None and shape.field.description:
        return shape.field.description
    return next((_first_line(model.__doc__) for model in shape.models), "")


def _below(shape: Shape, key: str) -> str:
    below = shape.step(key)
    return _description(below) if below else ""


def _type(shape: Shape) -> str:
    if shape.choices:
        return f"one of {', '.join(shape.choices)}"
    if shape.keys:
        return "map"
    read_by = validators(shape)
    scalar = next((kind for function, kind, _ in _SCALARS if function in read_by), "")
    if scalar and not shape.is_container:
        return scalar
    found = [_WORDS[member] for member in shape.members if member in _WORDS]
    if found:
        return " or ".join(found)
    below = shape.step("NAME")
    if below is None:
        return "value"
    inner = _type(below)
    kind = "map by name" if _is_free_map(shape) else "list"
    return kind if inner in ("map", "value") else f"{kind} of {inner}"


def _is_free_map(shape: Shape) -> bool:
    return any(getattr(member, "__origin__", member) in (dict, Mapping) for member in shape.members)


def _unit(shape: Shape) -> str:
    read_by = validators(shape)
    return next((unit for function, _, unit in _SCALARS if function in read_by), "")


def _example(steps: Path, shape: Shape) -> str:
    """Return a line of YAML that sets this key."""
    if not steps:
        return "agents: {system_health: {enabled: true}}"
    if shape.choices:
        value = shape.choices[0]
    elif shape.is_container:
        value = "{...}" if shape.keys or _is_free_map(shape) else "[...]"
    else:
        default = shape.field.get_default(call_default_factory=True) if shape.field else None
        value = _shown(default) or next((text for function, text in _EXAMPLES if function in validators(shape)), "...")
    return f"{steps[-1]}: {value}"


def _shown(value: Any) -> str:
    """Return a default as it would be written, "" for none and for a map."""
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(_shown(item) for item in value)}]"
    forms: tuple[tuple[type, Callable[[Any], str]], ...] = (
        (timedelta, format_duration),
        (Enum, lambda member: str(member.value)),
        (bool, lambda flag: str(flag).lower()),
        (float, lambda number: f"{number:g}"),
        (time, lambda moment: f"{moment:%H:%M}"),
        (str, str),
        (int, str),
    )
    return next((form(value) for kind, form in forms if isinstance(value, kind)), "")


def _unknown(step: str, walked: list[str], shape: Shape) -> str:
    above = ".".join(walked) or "the configuration"
    known = ", ".join(shape.keys)
    suggest = nearest(step, shape.keys)
    hint = f"; did you mean {suggest}?" if suggest else f"; it has: {known}" if known else "; it has no keys"
    return f"there is no key {step} in {above}{hint}"


def _first_line(text: str | None) -> str:
    return (text or "").strip().split("\n", 1)[0]
