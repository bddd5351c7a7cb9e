"""The request and the reply of the worker that asks apt what it would do. JSON both ways, checked on reading."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any, Final, TypeVar

from zen_agents.model.debian_upgrade import DebianCandidate, DebianChange, DebianLook, DebianQuestion

#: Module that does the job; adapters start it by this name and never import it.
WORKER: Final = "zen_agents.workers.debian_look"

_MOST_ENTRIES: Final = 2000
_MOST_CHARS: Final = 1000
_T = TypeVar("_T")


class MalformedDebianError(ValueError):
    """The JSON is not what was agreed; the message says which part."""


def request_to_json(asked: DebianQuestion) -> str:
    """Return the request as JSON on one line."""
    return json.dumps({"version": 1, **asdict(asked)})


def request_from_json(text: str) -> DebianQuestion:
    """Return the request in a text; raises MalformedDebianError."""
    job = mapping(text, DebianQuestion)
    refresh = job["refresh_after_seconds"]
    if not isinstance(refresh, (int, float)) or isinstance(refresh, bool):
        raise MalformedDebianError("refresh_after_seconds is no number")
    return DebianQuestion(texts(job["wanted"]), float(refresh))


def reply_to_json(look: DebianLook) -> str:
    """Return the reply as JSON on one line; texts are cut to a thousand characters."""
    found = {field.name: getattr(look, field.name) for field in fields(look)}
    candidates = [each._asdict() for each in look.candidates]
    changes = [each._asdict() for each in look.changes]
    plain = {name: cut(value) for name, value in found.items()}
    return json.dumps({"version": 1, **plain, "candidates": candidates, "changes": changes})


def reply_from_json(text: str) -> DebianLook:
    """Return the reply in a text; raises MalformedDebianError."""
    reply = mapping(text, DebianLook)
    return DebianLook(
        candidates=tuple(_candidate(each) for each in list_of(reply["candidates"])),
        changes=tuple(change_of(each) for each in list_of(reply["changes"])),
        adds=texts(reply["adds"]),
        removes=texts(reply["removes"]),
        phased=texts(reply["phased"]),
        ships=texts(reply["ships"]),
        restarts=texts(reply["restarts"]),
        refused=text_of(reply["refused"]),
        interrupted=text_of(reply["interrupted"]),
        is_unattended=flag_of(reply["is_unattended"]),
        problems=texts(reply["problems"]),
    )


def _candidate(value: object) -> DebianCandidate:
    found = named(value, DebianCandidate._fields)
    later, is_held = texts(found.pop("later")), flag_of(found.pop("is_held"))
    return DebianCandidate(**{name: text_of(each) for name, each in found.items()}, later=later, is_held=is_held)


def change_of(value: object) -> DebianChange:
    """Return one package that would change; raises MalformedDebianError."""
    found = named(value, DebianChange._fields)
    is_auto = flag_of(found.pop("is_auto"))
    return DebianChange(**{name: text_of(each) for name, each in found.items()}, is_auto=is_auto)


def mapping(text: str, kind: type[Any]) -> dict[str, Any]:
    """Return the object of version 1 in a text that has exactly the fields of a class; raises MalformedDebianError."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedDebianError("this is not JSON") from error
    if not isinstance(value, dict) or value.pop("version", None) != 1:
        raise MalformedDebianError("this is not version 1 of the job")
    return named(value, getattr(kind, "_fields", ()) or tuple(field.name for field in fields(kind)))


def named(value: object, names: tuple[str, ...]) -> dict[str, Any]:
    """Return an object that has exactly these keys; raises MalformedDebianError."""
    if not isinstance(value, dict) or value.keys() != set(names):
        raise MalformedDebianError(f"something has other keys than {', '.join(names)}")
    return dict(value)


def texts(value: object) -> tuple[str, ...]:
    """Return a list of texts; raises MalformedDebianError."""
    return tuple(text_of(each) for each in list_of(value))


def text_of(value: object) -> str:
    """Return a text that is not too long; raises MalformedDebianError."""
    if not isinstance(value, str) or len(value) > _MOST_CHARS:
        raise MalformedDebianError("a text is missing, or too long")
    return value


def cut(value: _T) -> _T:
    """Return a value with each text in it cut to a length that is read back."""
    if isinstance(value, str):
        return value[:_MOST_CHARS]  # type: ignore[return-value]
    if isinstance(value, (list, tuple)):
        return [cut(each) for each in value]  # type: ignore[return-value]
    return value


def list_of(value: object) -> list[Any]:
    """Return a list that is not too long; raises MalformedDebianError."""
    if not isinstance(value, list) or len(value) > _MOST_ENTRIES:
        raise MalformedDebianError("a list is missing, or too long")
    return value


def flag_of(value: object) -> bool:
    """Return a yes or no; raises MalformedDebianError."""
    if not isinstance(value, bool):
        raise MalformedDebianError("a yes or no is missing")
    return value
