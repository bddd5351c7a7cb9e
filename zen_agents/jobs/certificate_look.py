"""The request and the reply of the worker that looks at certificates. JSON both ways, checked on reading."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

from zen_agents.dataclass import dataclass
from zen_agents.model.certificate import Certificate, CertificateLook, CertificateQuestion, Seen

#: Module that does the job; adapters start it by this name and never import it.
WORKER = "zen_agents.workers.certificate_look"

_MOST_CHARS = 1000


class MalformedLookError(ValueError):
    """The JSON is not what was agreed; the message says which part."""


@dataclass(frozen=True, slots=True)
class LookRequest:
    """What to look at, and for how long a server may be waited for at each step."""

    asked: CertificateQuestion
    within_seconds: float

    def to_json(self) -> str:
        """Return the request as JSON on one line."""
        return json.dumps({"version": 1, "within_seconds": self.within_seconds, "asked": asdict(self.asked)})

    @classmethod
    def from_json(cls, text: str) -> LookRequest:
        """Return the request in a text; raises MalformedLookError."""
        job = _mapping(text)
        asked, within = job.get("asked"), job.get("within_seconds")
        names = {field.name for field in fields(CertificateQuestion)}
        if not isinstance(asked, dict) or asked.keys() != names or not isinstance(within, (int, float)):
            raise MalformedLookError("asked or within_seconds is missing")
        return cls(CertificateQuestion(**{name: _text(value) for name, value in asked.items()}), float(within))


def reply_to_json(look: CertificateLook) -> str:
    """Return the reply as JSON on one line; texts are cut to a thousand characters."""
    return json.dumps({"version": 1, "file": _plain(look.file), "server": _plain(look.server)})


def reply_from_json(text: str) -> CertificateLook:
    """Return the reply in a text; raises MalformedLookError."""
    reply = _mapping(text)
    return CertificateLook(_seen(reply.get("file")), _seen(reply.get("server")))


def _plain(seen: Seen | None) -> dict[str, Any] | None:
    if seen is None:
        return None
    certificate = seen.certificate._asdict() if seen.certificate is not None else None
    return {"certificate": certificate, "fault": seen.fault[:_MOST_CHARS], "untold": seen.untold[:_MOST_CHARS]}


def _seen(value: object) -> Seen | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise MalformedLookError("what was seen is not an object")
    found = value.get("certificate")
    return Seen(None if found is None else _certificate(found), _text(value.get("fault")), _text(value.get("untold")))


def _certificate(value: object) -> Certificate:
    if not isinstance(value, dict) or value.keys() != set(Certificate._fields):
        raise MalformedLookError("this is no certificate")
    times = (value.pop("not_before"), value.pop("not_after"))
    if not all(isinstance(time, (int, float)) for time in times):
        raise MalformedLookError("the validity of a certificate is not two numbers")
    texts = {name: _text(text) for name, text in value.items()}
    return Certificate(**texts, not_before=float(times[0]), not_after=float(times[1]))


def _mapping(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedLookError("this is not JSON") from error
    if not isinstance(value, dict) or value.get("version") != 1:
        raise MalformedLookError("this is not version 1 of the job")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > 4 * _MOST_CHARS:
        raise MalformedLookError("a text is missing, or too long")
    return value
