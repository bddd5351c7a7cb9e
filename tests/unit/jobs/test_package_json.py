"""Nouns of jobs go there and back as JSON, and what is not as agreed is refused with its place."""

from __future__ import annotations

import json

import pytest

from zen_agents.jobs.environment import TRY, RunsAs, Tools, TrialRequest
from zen_agents.jobs.package_json import MalformedJobError, from_json, to_json
from zen_agents.model.environment import Environment, Pin, Trial

REQUEST = TrialRequest(
    Tools(RunsAs("app", 1000, 1000, (4, 27)), "/usr/bin/uv", "/srv/.stage", ("/srv/.stage",), 2.5),
    TRY,
    Trial(Environment("/srv/venv", wheels=("/srv/wheels",)), "lib==1\n", (Pin("lib", "2", ("sha256:0",)),)),
)


def test_what_is_written_is_what_is_read() -> None:
    assert from_json(to_json(REQUEST), TrialRequest) == REQUEST


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("part", 3, "TrialRequest.part is no str"),
        ("excused", "x", r"TrialRequest.excused is no list"),
        ("excused", [1], r"TrialRequest.excused\[0\] is no str"),
        ("trial", {}, "TrialRequest.trial has other keys"),
        ("part", "x" * 600_000, "too long"),
    ],
)
def test_what_is_not_as_agreed_is_told_with_its_place(place: str, value: object, said: str) -> None:
    body = {**json.loads(to_json(REQUEST)), place: value}
    with pytest.raises(MalformedJobError, match=said):
        from_json(json.dumps(body), TrialRequest)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000])
def test_what_is_no_such_json_is_refused(text: str) -> None:
    with pytest.raises(MalformedJobError):
        from_json(text, TrialRequest)
