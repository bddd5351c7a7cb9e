"""The request and the reply of the worker that looks at packages. JSON both ways, checked on reading."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any, Final, TypeVar

from zen_agents.model.package_look import PackageLook, PackageQuestion, Update, Weakness, Yanked

#: Module that does the job; adapters start it by this name and never import it.
WORKER: Final = "zen_agents.workers.package_look"

#: So many of each are told, the worst first; a host has more packages, and fewer that matter.
MOST_TOLD: Final = 1500
_MOST_CHARS: Final = 1000
_ROWS: Final = ("weaknesses", "updates", "yanked")
_T = TypeVar("_T")


class MalformedPackagesError(ValueError):
    """The JSON is not what was agreed; the message says which part."""


def request_to_json(asked: PackageQuestion) -> str:
    """Return the request as JSON on one line."""
    return json.dumps({"version": 1, "asked": asdict(asked)})


def request_from_json(text: str) -> PackageQuestion:
    """Return the request in a text; raises MalformedPackagesError."""
    return question_of(_version_1(text).get("asked"))


def question_of(value: object) -> PackageQuestion:
    """Return the question that plain JSON values are, as `asdict` gives them; raises MalformedPackagesError."""
    asked = _with_keys(value, tuple(field.name for field in fields(PackageQuestion)))
    ages: dict[str, Any] = {name: _seconds(asked.pop(name), name) for name in ("max_age_seconds", "refresh_after_seconds")}
    ignore = _rows(asked.pop("ignore"), _ignore)
    lists: dict[str, Any] = {name: _texts(asked.pop(name)) for name in ("osv", "vex", "wheels", "hold")}
    words: dict[str, Any] = {name: _text(value) for name, value in asked.items()}
    return PackageQuestion(**words, **lists, **ages, ignore=ignore)


def reply_to_json(look: PackageLook) -> str:
    """Return the reply as JSON on one line; texts are cut to a thousand characters, lists to `MOST_TOLD`."""
    parts = {name: _cut(value) for name, value in look._asdict().items() if name not in _ROWS}
    rows = {name: [_cut(row._asdict()) for row in getattr(look, name)[:MOST_TOLD]] for name in _ROWS}
    return json.dumps({"version": 1, "look": {**parts, **rows}})


def reply_from_json(text: str) -> PackageLook:
    """Return the reply in a text; raises MalformedPackagesError."""
    look = _with_keys(_version_1(text).get("look"), PackageLook._fields)
    weaknesses, updates = _rows(look["weaknesses"], _weakness), _rows(look["updates"], _update)
    return PackageLook(
        _count(look["packages"]), weaknesses, updates, _count(look["ignored"]), _texts(look["untold"]),
        _rows(look["yanked"], _yanked), _text(look["yanked_untold"]), _texts(look["notes"]),
    )  # fmt: skip


def _weakness(value: object) -> Weakness:
    found = _with_keys(value, Weakness._fields)
    is_exploited = found.pop("is_exploited")
    if not isinstance(is_exploited, bool):
        raise MalformedPackagesError("a yes or no is missing")
    return Weakness(**{name: _text(each) for name, each in found.items()}, is_exploited=is_exploited)


def _update(value: object) -> Update:
    found = _with_keys(value, Update._fields)
    fixes = _texts(found.pop("fixes"))
    return Update(**{name: _text(each) for name, each in found.items()}, fixes=fixes)


def _yanked(value: object) -> Yanked:
    return Yanked(**{name: _text(each) for name, each in _with_keys(value, Yanked._fields).items()})


def _seconds(value: object, name: str) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < float("inf"):
        raise MalformedPackagesError(f"{name} is no number")
    return float(value)


def _ignore(value: object) -> tuple[str, str, str, str]:
    advisory, reason, until, package = _texts(value, exactly=4)
    return advisory, reason, until, package


def _version_1(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedPackagesError("this is not JSON") from error
    if not isinstance(value, dict) or value.get("version") != 1:
        raise MalformedPackagesError("this is not version 1 of the job")
    return value


def _with_keys(value: object, names: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, Mapping) or value.keys() != set(names):
        raise MalformedPackagesError(f"something has other keys than {', '.join(names)}")
    return dict(value)


def _rows(value: object, read: Callable[[object], _T]) -> tuple[_T, ...]:
    if not isinstance(value, (list, tuple)) or len(value) > MOST_TOLD:
        raise MalformedPackagesError("a list is missing, or too long")
    return tuple(read(each) for each in value)


def _texts(value: object, *, exactly: int | None = None) -> tuple[str, ...]:
    found = _rows(value, _text)
    if exactly is not None and len(found) != exactly:
        raise MalformedPackagesError(f"a list has {len(found)} texts, not {exactly}")
    return found


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _MOST_CHARS:
        raise MalformedPackagesError("a text is missing, or too long")
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise MalformedPackagesError("a count is missing")
    return value


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return value[:_MOST_CHARS]
    if isinstance(value, dict):
        return {name: _cut(each) for name, each in value.items()}
    return [_cut(each) for each in value[:MOST_TOLD]] if isinstance(value, (list, tuple)) else value
