"""How things look to programs: one envelope for all, `{"schema": "zen-agents/NAME/v1", ...}`, on stdout and alone there."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from zen_agents.cli.call import Call
from zen_agents.errors import UsageError, ZenError

#: What names a thing where only its name is wanted, best first.
_NAMES = ("id", "name", "dataset", "check", "rule", "action", "incident", "breaker", "scope", "path", "host")


def data(call: Call, kind: str, body: Any) -> None:
    """Print for a program: a mapping as it is, a sequence as `items`; fields are picked where that was asked for."""
    items = None if isinstance(body, Mapping) else [_picked(call, item) for item in body]
    whole = _picked(call, body) if items is None else {"items": items}
    envelope = {"schema": f"zen-agents/{kind}/v1", **whole}
    if call.output == "name":
        _print_names([whole] if items is None else items)
    elif call.output == "jsonl":
        for item in [envelope] if items is None else items:
            print(one_line(item))
    elif call.output == "yaml":
        _print_yaml(envelope)
    else:
        print(json.dumps(envelope, indent=2, default=str))


def one_line(item: Any) -> str:
    """Return one line of JSON lines."""
    return json.dumps(item, default=str)


def _picked(call: Call, item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields that `--json=FIELD,...` names; `effect.detail` reaches into what is below."""
    if not call.fields:
        return item
    return {field: _field(item, field) for field in call.fields}


def _field(item: Mapping[str, Any], field: str) -> Any:
    value: Any = item
    for name in field.split("."):
        if not isinstance(value, Mapping) or name not in value:
            known = ", ".join(sorted(value)) if isinstance(value, Mapping) else "nothing below it"
            raise UsageError(f"there is no field {field!r}; there are: {known}")
        value = value[name]
    return value


def _print_names(items: list[Mapping[str, Any]]) -> None:
    for item in items:
        print(_name_of(item))


def _name_of(item: Mapping[str, Any]) -> str:
    for field in _NAMES:
        value = item.get(field)
        if isinstance(value, Mapping):
            return _name_of(value)
        if isinstance(value, str) and value:
            return value
    raise UsageError("this has no name; use -o json")


def _print_yaml(envelope: Mapping[str, Any]) -> None:
    import yaml  # noqa: PLC0415  only here

    # Through JSON, so that both say the same.
    plain = json.loads(json.dumps(envelope, default=str))
    print(yaml.safe_dump(plain, sort_keys=False), end="")


def escaped(line: str) -> str:
    """Return JSON whose strings hold nothing that a terminal would obey; it means the same."""
    if line.isprintable():
        return line
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in line)


def print_error(error: ZenError, output: str) -> None:
    """Print an error for a program, in the form that it reads; people read the same on stderr."""
    body = {"schema": "zen-agents/error/v1", "error": str(error), "exit_code": error.exit_code}
    if output == "yaml":
        _print_yaml(body)
    elif output in ("json", "jsonl"):
        print(json.dumps(body, indent=2 if output == "json" else None))
    sys.stdout.flush()
