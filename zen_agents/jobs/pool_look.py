"""The request and the reply of the worker that asks connection pools. JSON both ways, checked on reading."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from zen_agents.dataclass import dataclass
from zen_agents.model.pool import MOST_SESSIONS, PoolLook, PoolQuestion, PoolSession

#: Module that does the job; adapters start it by this name and never import it.
WORKER = "zen_agents.workers.pool_look"

_MOST_CHARS = 1000
_NUMBERS = frozenset({"in_transaction_seconds", "idle_seconds"})


class MalformedPoolError(ValueError):
    """The JSON is not what was agreed; the message says which part."""


@dataclass(frozen=True, slots=True)
class PoolRequest:
    """What to ask, for how long it may be waited for, and which sessions to end; none: it is only looked."""

    asked: PoolQuestion
    within_seconds: float
    end: tuple[PoolSession, ...] = ()

    def to_json(self) -> str:
        """Return the request as JSON on one line."""
        end = [session._asdict() for session in self.end]
        return json.dumps({"version": 1, "within_seconds": self.within_seconds, "asked": asdict(self.asked), "end": end})

    @classmethod
    def from_json(cls, text: str) -> PoolRequest:
        """Return the request in a text; raises MalformedPoolError."""
        job = _mapping(text)
        asked, within = job.get("asked"), job.get("within_seconds")
        if not isinstance(asked, dict) or asked.keys() != {field.name for field in fields(PoolQuestion)}:
            raise MalformedPoolError("asked is not a question")
        question: dict[str, Any] = {name: (_number if name in _NUMBERS else _text)(value) for name, value in asked.items()}
        return cls(PoolQuestion(**question), _number(within), _sessions(job.get("end")))


@dataclass(frozen=True, slots=True)
class PoolReply:
    """What was found, or for a request to end sessions: which were ended, which stayed, and why none could be."""

    look: PoolLook = PoolLook()
    ended: tuple[int, ...] = ()
    left: tuple[int, ...] = ()
    refused: str = ""

    def to_json(self) -> str:
        """Return the reply as JSON on one line; texts are cut to a thousand characters."""
        look = {name: _cut(value) for name, value in self.look._asdict().items() if name != "forgotten"}
        told = [{name: _cut(value) for name, value in each._asdict().items()} for each in self.look.forgotten]
        parts = {"ended": self.ended, "left": self.left, "refused": _cut(self.refused)}
        return json.dumps({"version": 1, "look": {**look, "forgotten": told}, **parts})

    @classmethod
    def from_json(cls, text: str) -> PoolReply:
        """Return the reply in a text; raises MalformedPoolError."""
        reply = _mapping(text)
        look, ended, left = reply.get("look"), reply.get("ended"), reply.get("left")
        if not isinstance(look, dict) or look.keys() != set(PoolLook._fields):
            raise MalformedPoolError("look is missing")
        if not isinstance(ended, list) or not isinstance(left, list):
            raise MalformedPoolError("ended or left is no list")
        return cls(_look(look), tuple(map(_count, ended)), tuple(map(_count, left)), _text(reply.get("refused")))


def _look(found: Mapping[str, Any]) -> PoolLook:
    counts = {name: _count(found[name]) for name in ("used", "limit", "meant")}
    texts = {name: _text(found[name]) for name in ("scarce", "run", "full", "untold")}
    values: dict[str, Any] = {**counts, **texts, "forgotten": _sessions(found["forgotten"])}
    return PoolLook(**values)


def _sessions(value: object) -> tuple[PoolSession, ...]:
    if not isinstance(value, list) or len(value) > MOST_SESSIONS:
        raise MalformedPoolError("the sessions are no list, or too many")
    return tuple(map(_session, value))


def _session(value: object) -> PoolSession:
    if not isinstance(value, Mapping) or value.keys() != set(PoolSession._fields):
        raise MalformedPoolError("this is no session")
    return PoolSession(_count(value["pid"]), *(_text(value[name]) for name in PoolSession._fields[1:]))


def _mapping(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedPoolError("this is not JSON") from error
    if not isinstance(value, dict) or value.get("version") != 1:
        raise MalformedPoolError("this is not version 1 of the job")
    return value


def _cut(value: object) -> object:
    return value[:_MOST_CHARS] if isinstance(value, str) else value


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _MOST_CHARS:
        raise MalformedPoolError("a text is missing, or too long")
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise MalformedPoolError("a count is missing")
    return value


def _number(value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < float("inf"):
        raise MalformedPoolError("a number is missing")
    return float(value)
