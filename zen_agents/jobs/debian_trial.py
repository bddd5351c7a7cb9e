"""The request and the reply of the worker that makes an upgrade in a copy of the root."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

from zen_agents.jobs.debian_look import MalformedDebianError, cut, flag_of, list_of, mapping, named, text_of, texts
from zen_agents.model.debian_upgrade import DebianTrial, DebianTried, TrialStep

#: Module that does the job; adapters start it by this name and never import it.
WORKER: Final = "zen_agents.workers.debian_trial"


def request_to_json(asked: DebianTrial) -> str:
    """Return the request as JSON on one line."""
    return json.dumps({"version": 1, **asdict(asked)})


def request_from_json(text: str) -> DebianTrial:
    """Return the request in a text; raises MalformedDebianError."""
    job = mapping(text, DebianTrial)
    return DebianTrial(
        texts(job["installs"]), flag_of(job["may_remove"]), texts(job["programs"]), texts(job["smoke"]),
        text_of(job["user"]), int(_number(job["most_bytes"])), _number(job["within_seconds"]),
    )  # fmt: skip


def reply_to_json(tried: DebianTried) -> str:
    """Return the reply as JSON on one line."""
    steps = [{name: cut(value) for name, value in each._asdict().items()} for each in tried.steps]
    return json.dumps({"version": 1, "steps": steps, "failed": cut(tried.failed), "untried": cut(tried.untried)})


def reply_from_json(text: str) -> DebianTried:
    """Return the reply in a text; raises MalformedDebianError."""
    reply = mapping(text, DebianTried)
    steps = tuple(_step(each) for each in list_of(reply["steps"]))
    return DebianTried(steps, text_of(reply["failed"]), text_of(reply["untried"]))


def _step(value: object) -> TrialStep:
    found: dict[str, Any] = named(value, TrialStep._fields)
    words, said = text_of(found["words"]), text_of(found["said"])
    return TrialStep(words, int(_number(found["exit_code"])), said, _number(found["seconds"]))


def _number(value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise MalformedDebianError("a number is missing")
    return float(value)
